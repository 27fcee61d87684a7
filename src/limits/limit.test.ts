import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { LinkError, OptionError, ReplyError } from '../errors.ts'
import { Suspicion, type RedisLink, type Reply } from '../link/index.ts'
import { channels } from '../telemetry/channels.ts'
import { limitOf } from './limit.ts'
import { limitSettings, type LimitOptions } from './options.ts'

interface Rig {
  readonly serves?: boolean
  readonly instances?: number
  readonly answer?: () => Promise<Reply>
}

/** A limit over a link that serves, or does not, and answers what it is told to. */
function rig(options: Partial<LimitOptions>, { serves = false, instances = 1, answer }: Rig = {}) {
  const clock = new ManualClock()
  const sent: (readonly unknown[])[] = []
  const state = { serves, answer: answer ?? (() => Promise.reject(new Error('nothing may be sent'))) }
  const link = {
    get health() {
      return { state: state.serves ? 'up' : 'down', can: { write: state.serves } }
    },
    server: { runId: 'run-1' },
    send: (args: readonly unknown[]) => {
      sent.push(args)
      return state.answer()
    },
  } as unknown as RedisLink
  const settings = limitSettings({ max: 10, windowMs: 1000, ...options })
  // PINGs are not looked at here.
  const suspicion = new Suspicion({ link: { send: () => Promise.resolve('PONG') }, onCleared: () => undefined })
  const limit = limitOf({
    name: 'api',
    settings,
    link,
    clock,
    instances: { count: instances },
    suspicion,
    prefix: 'p:',
  })
  return { limit, clock, sent, state }
}

const deadline = (): Promise<Reply> =>
  Promise.reject(new LinkError('LINK_DEADLINE', 'No answer.', { executed: 'maybe', retryable: true }))

async function allowedOf(limit: ReturnType<typeof limitOf>, times: number): Promise<number> {
  let allowed = 0
  for (let turn = 0; turn < times; turn++) if ((await limit.take('k')).allowed) allowed += 1
  return allowed
}

for (const counting of ['sliding', 'fixed', 'bucket'] as const) {
  test(`${counting}: away, each of four instances goes on with its share`, async () => {
    const { limit, sent } = rig({ counting, max: 100 }, { instances: 4 })
    assert.equal(await allowedOf(limit, 200), 25)
    assert.deepEqual(sent, [], 'nobody is asked')
    const verdict = await limit.take('k')
    assert.deepEqual([verdict.policy, verdict.degraded, verdict.allowed], ['local', true, false])
    assert.ok(verdict.retryAfterMs > 0)
  })

  test(`${counting}: away, with more instances than the limit each has one at a time`, async () => {
    const { limit } = rig({ counting, max: 3 }, { instances: 50 })
    assert.equal(await allowedOf(limit, 20), 1)
  })

  test(`${counting}: what Redis said last is the base to go on from`, async () => {
    const full: Record<string, Reply> = { fixed: [1, 8, 900], sliding: [1, 0, 8, 100], bucket: [1, '800'] }
    const { limit, state } = rig({ counting }, { serves: true, answer: () => Promise.resolve(full[counting] ?? null) })
    assert.equal((await limit.take('k')).policy, 'redis')
    state.serves = false
    assert.equal(await allowedOf(limit, 10), 2)
  })
}

test('open lets everything through and closed nothing, and both say so', async () => {
  const open = rig({ whenAway: 'open' })
  assert.equal(await allowedOf(open.limit, 50), 50)
  const { policy, degraded, remaining } = await open.limit.take('k')
  assert.deepEqual([policy, degraded, remaining], ['open', true, 0])
  const closed = rig({ whenAway: 'closed' })
  assert.equal(await allowedOf(closed.limit, 5), 0)
  assert.equal((await closed.limit.take('k')).policy, 'closed')
  assert.deepEqual(closed.limit.stats, { allowed: 0, refused: 6, degraded: 6, keys: 1 })
})

for (const counting of ['sliding', 'fixed', 'bucket'] as const)
  test(`${counting}: away, a refused call counts where it was asked to, and what is given back is there again`, async () => {
    const { limit } = rig({ counting }, { instances: 2 })
    assert.equal(await allowedOf(limit, 10), 5)
    await limit.giveBack('k', 2)
    assert.equal(await allowedOf(limit, 10), 2)
    assert.equal((await limit.take('k', { always: true })).allowed, false)
    await limit.giveBack('k')
    assert.equal((await limit.take('k')).allowed, false, 'the refused call was given back, no other')
  })

test('what was let through while away is told once with the next call, and again when it was not confirmed', async () => {
  const { limit, sent, state } = rig({ counting: 'fixed' })
  await allowedOf(limit, 3)
  state.serves = true
  state.answer = deadline
  assert.equal((await limit.take('k')).policy, 'local', 'decided here')
  state.answer = () => Promise.resolve([1, 5, 900])
  await limit.take('k')
  await limit.take('k')
  const own = sent.map((args) => args[7])
  assert.deepEqual(own, ['3', '0', '4'])
})

test('two calls at the same time do not tell the same twice', async () => {
  const { limit, sent, state } = rig({ counting: 'fixed' })
  await allowedOf(limit, 3)
  state.serves = true
  state.answer = () => Promise.resolve([1, 5, 900])
  await Promise.all([limit.take('k'), limit.take('k')])
  assert.deepEqual(
    sent.map((args) => args[7]),
    ['3', '0'],
  )
})

test('tell() tells every key that owes something, uses nothing up, and leaves out what is over', async () => {
  const { limit, clock, sent, state } = rig({ counting: 'fixed' })
  await limit.take('old')
  clock.advance(1500)
  await limit.take('a')
  await limit.take('b')
  await limit.look('c')
  state.serves = true
  state.answer = () => Promise.resolve([1, 1, 900])
  await limit.tell()
  assert.deepEqual(
    sent.map((args) => String(args[3])).toSorted((a, b) => a.localeCompare(b)),
    ['p:api:a', 'p:api:b'],
  )
  assert.ok(sent.every((args) => args[6] === '0' && args[7] === '1'))
  sent.length = 0
  await limit.tell()
  assert.deepEqual(sent, [])
})

test('a cost beyond the limit, or no whole number, is an error of the caller', async () => {
  const { limit } = rig({})
  for (const cost of [11, -1, 1.5, Number.NaN]) await assert.rejects(limit.take('k', { cost }), OptionError)
})

test('a server that refuses the script is told once, and the limit goes on here', async () => {
  const refusal = (): Promise<Reply> =>
    Promise.reject(
      new ReplyError("NOPERM this user has no permissions to run the 'evalsha' command", { executed: 'no' }),
    )
  const { limit } = rig({}, { serves: true, answer: refusal })
  const told: string[] = []
  const stop = channels.notice.subscribe(({ message }) => told.push(message))
  assert.equal(await allowedOf(limit, 20), 10)
  stop()
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /'api' cannot be counted in Redis \(NOPERM/)
})

test('keys beyond maxKeys: the oldest is forgotten, memory is bounded', async () => {
  const { limit } = rig({ maxKeys: 100 })
  for (let n = 0; n < 1000; n++) await limit.take(`k${n}`)
  assert.equal(limit.stats.keys, 100)
})

test('options that cannot work are refused by name', () => {
  const wrong: [object, string][] = [
    [{ max: 0 }, 'max'],
    [{ windowMs: 0.5 }, 'windowMs'],
    [{ counting: 'leaky' }, 'counting'],
    [{ whenAway: 'maybe' }, 'whenAway'],
    [{ maximum: 3 }, 'maximum'],
  ]
  for (const [options, option] of wrong)
    assert.throws(() => limitSettings({ max: 1, windowMs: 1, ...options }), { name: 'OptionError', option })
})

test('put away: holds here at once, and is told first of all when Redis is back', async () => {
  const { limit, state, sent } = rig({ counting: 'fixed' })
  await allowedOf(limit, 3)
  assert.equal((await limit.put('k', { used: 11, forMs: 60_000 })).used, 11)
  assert.equal(await allowedOf(limit, 2), 0)
  state.serves = true
  state.answer = () => Promise.resolve([0, 11, 60_000])
  await limit.tell()
  const [, , , key, ...args] = sent[0] ?? []
  assert.equal(key, 'p:api:k')
  assert.deepEqual(args, ['1000', '10', '0', '11', '0', '60000', 'run-1', '0', '1'])
  assert.equal((await limit.look('k')).used, 11)
})

test('put is for fixed windows, and a cost beyond the limit for calls that always count', async () => {
  await assert.rejects(rig({ counting: 'sliding' }).limit.put('k', { used: 1 }), {
    name: 'OptionError',
    option: 'counting',
  })
  const { limit } = rig({ counting: 'fixed' })
  await assert.rejects(limit.put('k', { used: -1 }), { option: 'used' })
  await assert.rejects(limit.put('k', { used: 1, forMs: 0 }), { option: 'forMs' })
  await assert.rejects(limit.take('k', { cost: 11 }), { option: 'cost' })
  const verdict = await limit.take('k', { cost: 11, always: true })
  assert.deepEqual([verdict.allowed, verdict.used], [false, 11])
})

test('a Redis that leaves every call unanswered is not told the same with each: it may execute all of them yet', async () => {
  const { limit, state, sent } = rig({ counting: 'fixed' }, { serves: true, answer: deadline })
  await allowedOf(limit, 4)
  const told = (): unknown[] => sent.splice(0).map((args) => args[7])
  assert.deepEqual(told(), ['0', '0', '0', '0'])
  state.answer = () => Promise.resolve([1, 4, 900])
  await allowedOf(limit, 2)
  assert.deepEqual(told(), ['0', '4'], 'with the first call after an answer')
})
