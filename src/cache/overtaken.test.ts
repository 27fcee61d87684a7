/** Changes that reach a process by another way, or in another order, than it is used to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, world } from '../../test/support/cache-world.ts'
import { ReplyError } from '../errors.ts'
import { Tags } from './tags.ts'

const KEY = 'evenkeel:cache:n:k'

test('what tells of a deleted tag is flushed between a value and the question for its tag: the value is read again', async () => {
  const { clock, redis, one, other } = await world({}, 2)
  await settled(
    clock,
    one.cache.getOrSet('k', () => 'old', { tags: ['sale'] }),
  )
  await settled(clock, one.cache.deleteTag('sale'))
  other.link.delays = { requestMs: 0, replyMs: 3, pushMs: 9 }
  const read = other.cache.get('k')
  await clock.advance(1)
  redis.run(['FLUSHALL'], undefined)
  assert.equal(await settled(clock, read), undefined)
})

test('a generation that the deletion of a tag brings along is heard of: older copies are not given', async () => {
  const { clock, redis, one } = await world()
  await settled(clock, one.cache.set('k', 'old'))
  assert.equal(one.cache.peek('k'), 'old')
  const [generation = '', ...rest] = String(redis.get('evenkeel:cache:n::state')).split(' ')
  one.link.delays = { requestMs: 0, replyMs: 0, pushMs: 9 }
  redis.run(['SET', 'evenkeel:cache:n::state', [Number(generation) + 1, ...rest].join(' ')], undefined)
  await settled(clock, one.cache.deleteTag('sale'))
  assert.equal(one.cache.peek('k'), undefined)
  await clock.advance(20)
  assert.equal(one.cache.peek('k'), undefined)
})

test('a load that began before everything was dropped is joined by nobody', async () => {
  const { clock, one, other } = await world({}, 2)
  let truth = 'old'
  const load = async (): Promise<string> => {
    const read = truth
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 300))
    return read
  }
  const early = one.cache.getOrSet('k', load)
  await clock.advance(5)
  other.link.become('cut')
  truth = 'new'
  assert.equal((await other.cache.deletePattern('*')).outcome, 'journalled')
  other.link.become('up')
  await clock.advance(50)
  assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 'new')
  assert.equal(await settled(clock, early), 'old')
})

test('a deleted tag that had to make room for others counts as deleted all the same', () => {
  const tags = new Tags()
  const value = { names: ['first'], clock: tags.clock }
  tags.delete('first')
  for (let n = 0; n < 10_000; n++) tags.delete(`tag ${n}`)
  assert.equal(tags.allow(value), false)
  tags.learned('first', 1)
  assert.equal(tags.allow({ names: ['first'], clock: 5 }), true)
})

test('a value with a tag lives no longer than a deletion of the tag is remembered', async () => {
  const { clock, redis, one } = await world()
  const year = 2 ** 31 - 1
  await settled(clock, one.cache.set('k', 1, { ttlMs: year, tags: ['sale'] }))
  await settled(clock, one.cache.set('l', 1, { ttlMs: year }))
  await clock.advance(86_400_000)
  assert.equal(redis.get(KEY), null)
  assert.notEqual(redis.get('evenkeel:cache:n:l'), null)
})

test('callers share a load while Redis refuses to be read', async () => {
  const { clock, one } = await world()
  const { send } = one.link
  one.link.send = (args, options) =>
    args[0] === 'GET'
      ? Promise.reject(new ReplyError('NOPERM', { executed: 'no' }))
      : send.call(one.link, args, options)
  let loads = 0
  const load = async (): Promise<number> => {
    loads += 1
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return loads
  }
  const early = one.cache.getOrSet('k', load)
  await clock.advance(10)
  assert.deepEqual(await settled(clock, Promise.all([early, one.cache.getOrSet('k', load)])), [1, 1])
})
