/** The scripts of the limits against their arithmetic, and what instances tell each other, with a real server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLimits, type Counting, type Limits } from '../../src/limits/index.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { windowWithOver } from '../support/clock-window.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'

const COUNTINGS: readonly Counting[] = ['sliding', 'fixed', 'bucket']
/** Long enough that none ends within a test. */
const WINDOW_MS = 600_000

const { redis: server, ends } = await redisOfFile()

/** An instance as another process would be: a link and limits of its own. */
async function instance(): Promise<{ readonly link: RedisLink; readonly limits: Limits }> {
  const link = createLink({ url: server.url, name: `instance-${ends.length}` })
  const limits = createLimits({ link })
  ends.push(async () => {
    limits.close()
    await link.close()
  })
  limits.start()
  limits.limit('counted', { max: 1, windowMs: WINDOW_MS })
  link.start()
  await eventually('the link to be up', () => link.health.state === 'up')
  return { link, limits }
}

for (const counting of COUNTINGS) {
  test(`${counting}: two instances share one account, whoever asks`, async () => {
    const one = (await instance()).limits.limit('api', { max: 10, windowMs: WINDOW_MS, counting })
    const other = (await instance()).limits.limit('api', { max: 10, windowMs: WINDOW_MS, counting })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : other).take('k')))
    assert.equal(answers.filter(({ allowed }) => allowed).length, 10)
    assert.ok(answers.every(({ policy, degraded }) => policy === 'redis' && !degraded))
    const { allowed, remaining, retryAfterMs } = await one.take('k')
    assert.deepEqual([allowed, remaining], [false, 0])
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 2 * WINDOW_MS)
    assert.equal((await other.take('another key')).allowed, true)
  })

  test(`${counting}: looking and a refusal use nothing up, a large cost counts as much`, async () => {
    const { limits } = await instance()
    const limit = limits.limit('api', { max: 10, windowMs: WINDOW_MS, counting })
    assert.equal((await limit.look('k')).remaining, 10)
    assert.equal(await server.command('EXISTS', 'evenkeel:limits:api:k'), 0)
    assert.equal((await limit.take('k', { cost: 7 })).remaining, 3)
    assert.equal((await limit.take('k', { cost: 4 })).allowed, false)
    assert.equal((await limit.take('k', { cost: 3 })).allowed, true)
    assert.equal((await limit.look('k')).remaining, 0)
  })

  test(`${counting}: what is given back may be used again; a refused call counts only where it was asked to`, async () => {
    const { limits } = await instance()
    const limit = limits.limit('api', { max: 4, windowMs: WINDOW_MS, counting })
    await limit.take('k', { cost: 4 })
    await limit.take('k')
    await limit.giveBack('k', 3)
    assert.equal((await limit.look('k')).remaining, 3)
    await limit.take('k', { cost: 3 })
    const { allowed, used } = await limit.take('k', { cost: 2, always: true })
    assert.deepEqual([allowed, used], [false, 6])
    await limit.giveBack('k', 4)
    assert.equal((await limit.look('k')).remaining, 2)
  })

  test(`${counting}: allowed again when the answer says so`, async () => {
    const { limits } = await instance()
    const limit = limits.limit('api', { max: 4, windowMs: 400, counting })
    for (let turn = 0; turn < 4; turn++) await limit.take('k')
    const refused = await limit.take('k')
    assert.equal(refused.allowed, false)
    // Timers and the server's clock may be a few milliseconds apart.
    await delay(refused.retryAfterMs + 10)
    assert.equal((await limit.take('k')).allowed, true)
  })

  test(`${counting}: the server forgets keys by itself`, async () => {
    const { limits } = await instance()
    const limit = limits.limit('api', { max: 4, windowMs: 100, counting })
    await limit.take('k')
    const gone = async (): Promise<boolean> => (await server.command('EXISTS', 'evenkeel:limits:api:k')) === 0
    await eventually('the key to be gone', gone)
  })
}

for (const [counting, share] of [
  ['fixed', 0.5],
  ['bucket', 0.5],
  ['sliding', 0.05],
  ['sliding', 0.5],
  ['sliding', 0.85],
] as const)
  test(`${counting}, ${share * 100} % of a window over: what was let through in an outage counts for everybody afterwards, once`, async () => {
    const [one, other] = [await instance(), await instance()]
    const options = { max: 100, windowMs: windowWithOver(share), counting } as const
    const [ours, theirs] = [one.limits.limit('api', options), other.limits.limit('api', options)]
    for (let turn = 0; turn < 10; turn++) await ours.take('k')
    await theirs.look('k')
    await eventually('both to be counted', () => one.limits.instances === 2 && other.limits.instances === 2, {
      timeoutMs: 20_000,
    })
    await server.kill()
    await eventually('both to see it', () => !one.link.health.can.write && !other.link.health.can.write)
    for (let turn = 0; turn < 5; turn++) await Promise.all([ours.take('k'), theirs.take('k')])
    await server.start({ empty: true })
    await eventually('both to be back', () => one.link.health.can.write && other.link.health.can.write)
    // 10 before the restart that lost them, 5 and 5 while it was away.
    const remaining = async (): Promise<boolean> => Math.abs((await ours.look('k')).remaining - 80) <= 1
    await eventually('all 20 uses to be known', remaining)
    assert.ok(Math.abs((await theirs.look('k')).remaining - 80) <= 1, 'and not twice')
  })

test('a server that has forgotten its scripts is taught again', async () => {
  const { limits } = await instance()
  const limit = limits.limit('api', { max: 10, windowMs: WINDOW_MS })
  await limit.take('k')
  await server.command('SCRIPT', 'FLUSH')
  const { policy, remaining } = await limit.take('k')
  assert.deepEqual([policy, remaining], ['redis', 8])
})

test('a key of another type is no outage: counted here, and the rest goes on in Redis', async () => {
  const { limits } = await instance()
  await server.command('LPUSH', 'evenkeel:limits:api:k', 'x')
  const limit = limits.limit('api', { max: 10, windowMs: WINDOW_MS })
  assert.equal((await limit.take('k')).policy, 'local')
  assert.equal((await limit.take('other')).policy, 'redis')
  assert.equal(await limit.reset('k'), true)
  assert.equal((await limit.take('k')).policy, 'redis')
})

test('instances are counted as they come and go', async () => {
  const first = (await instance()).limits
  await instance()
  const third = await instance()
  await eventually('three to be counted', () => third.limits.instances === 3)
  third.limits.close()
  await eventually('two to be counted', () => first.instances === 2, { timeoutMs: 20_000 })
})

test('a name is one limit: the same options give the same one, others are refused', async () => {
  const { limits } = await instance()
  const limit = limits.limit('api', { max: 1, windowMs: 1000 })
  assert.equal(limits.limit('api', { windowMs: 1000, max: 1, counting: 'sliding' }), limit)
  assert.throws(() => limits.limit('api', { max: 2, windowMs: 1000 }), { name: 'OptionError', option: 'name' })
  assert.throws(() => limits.limit('a b', { max: 2, windowMs: 1000 }), { name: 'OptionError', option: 'name' })
  assert.throws(() => limits.limit('instances', { max: 2, windowMs: 1000 }), { name: 'OptionError', option: 'name' })
})
