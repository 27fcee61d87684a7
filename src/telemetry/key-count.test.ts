import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { RedisLink } from '../link/index.ts'
import { KeyCount } from './key-count.ts'

/** A link that counts the questions and answers them with what the test says. */
function fakeLink(answer: () => Promise<number>) {
  const can = { read: true, write: true, publish: true }
  const link: Pick<RedisLink, 'health' | 'send'> & { asked: number; can: typeof can } = {
    asked: 0,
    can,
    get health() {
      return { state: 'up' as const, since: 0, reason: { code: '', text: '', nextStep: '' }, can: link.can }
    },
    send(args) {
      assert.deepEqual(args, ['DBSIZE'])
      link.asked += 1
      return answer()
    },
  }
  return link
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('read() never waits: the first time nothing is known, the second time it is', async () => {
  const count = new KeyCount({ link: fakeLink(() => Promise.resolve(13)), clock: new FakeClock() })
  assert.equal(count.read(), undefined)
  await settled()
  assert.equal(count.read(), 13)
})

test('read() asks at most every 10 s, answered or not', async () => {
  const clock = new FakeClock()
  const link = fakeLink(() => new Promise<number>(() => undefined))
  const count = new KeyCount({ link, clock })
  for (let scrape = 0; scrape < 100; scrape++) count.read()
  assert.equal(link.asked, 1)
  await clock.advance(10_000)
  for (let scrape = 0; scrape < 100; scrape++) count.read()
  assert.equal(link.asked, 2)
})

test('read() asks nothing and tells nothing while Redis cannot be read', async () => {
  const clock = new FakeClock()
  const link = fakeLink(() => Promise.resolve(13))
  const count = new KeyCount({ link, clock })
  count.read()
  await settled()
  link.can = { read: false, write: false, publish: false }
  await clock.advance(60_000)
  assert.equal(count.read(), undefined)
  assert.equal(link.asked, 1)
})

test('read() keeps an answer through failures until it is stale', async () => {
  const clock = new FakeClock()
  let answer = (): Promise<number> => Promise.resolve(13)
  const count = new KeyCount({ link: fakeLink(() => answer()), clock })
  count.read()
  await settled()
  answer = () => Promise.reject(new Error('NOPERM'))
  await clock.advance(30_000)
  assert.equal(count.read(), 13)
  await settled()
  await clock.advance(30_000)
  assert.equal(count.read(), undefined)
})
