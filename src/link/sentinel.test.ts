import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import type { ConnectionEvents, Driver, Reply } from './driver.ts'
import { faultOfFailure } from './faults.ts'
import { resolveMaster } from './sentinel.ts'

/** `refused`, `frozen`, `closes`, or what it answers. */
type Behaviour = Reply | ((command: readonly string[]) => Reply)

/** Sentinels at port 1, 2, 3 … that behave as told. */
function sentinels(...behaviours: Behaviour[]) {
  const clock = new ManualClock()
  const commands: (readonly string[])[] = []
  const open = new Set<number>()
  const driver: Driver = {
    name: 'scripted',
    protocols: [2],
    isErrorReply: (error) => error instanceof Error,
    open: (address, _options, events) => {
      const port = address.kind === 'tcp' ? address.port : 0
      const behaviour = behaviours[port - 1] as Behaviour
      open.add(port)
      const close = (cause?: Error): void => {
        if (open.delete(port)) events.closed(cause)
      }
      queueMicrotask(() => greet(behaviour, events, close))
      return {
        send: (args) => {
          const command = args.map(String)
          commands.push(command)
          return answer(behaviour, command)
        },
        subscribe: () => Promise.resolve(),
        unsubscribe: () => Promise.resolve(),
        kill: () => queueMicrotask(close),
      }
    },
  }
  const addresses = behaviours.map((_, index) => ({ kind: 'tcp', host: '10.0.0.1', port: index + 1 }) as const)
  const [first = { kind: 'tcp', host: '10.0.0.1', port: 1 } as const, ...others] = addresses
  const endpoint = {
    addresses: [first, ...others] as const,
    master: 'mymaster',
    tls: undefined,
    sentinelCredentials: { username: undefined, password: undefined as string | undefined },
  }
  return { clock, driver, endpoint, commands, open, budgetMs: 1000 }
}

function greet(behaviour: Behaviour, events: ConnectionEvents, close: (cause?: Error) => void): void {
  if (behaviour === 'refused') close(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
  else if (behaviour === 'closes') close()
  else events.opened()
}

function answer(behaviour: Behaviour, command: readonly string[]): Promise<Reply> {
  if (behaviour === 'frozen') return new Promise(() => undefined)
  const reply = typeof behaviour === 'function' ? behaviour(command) : behaviour
  return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply)
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const master = (port: number): Reply => ['10.0.0.9', String(port)]
const at = (port: number) => ({ kind: 'tcp', host: '10.0.0.9', port }) as const

test('resolveMaster() resolves at once when a majority agrees, and leaves nothing open', async () => {
  const network = sentinels(master(1), 'frozen', master(1))
  assert.deepEqual(await resolveMaster(network), at(1))
  await settled()
  assert.equal(network.open.size, 0)
  assert.equal(network.clock.pending, 0)
  assert.deepEqual(network.commands[0], ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster'])
})

test('resolveMaster() takes what most say over one that is behind the times', async () => {
  assert.deepEqual(await resolveMaster(sentinels(master(7), master(1), master(1))), at(1))
})

test('resolveMaster() waits for a majority of 300 ms, then a minority will do', async () => {
  const network = sentinels(master(1), 'frozen', 'frozen')
  let resolved: unknown
  const resolving = resolveMaster(network).then((address) => (resolved = address))
  await settled()
  network.clock.advance(299)
  await settled()
  assert.equal(resolved, undefined)
  network.clock.advance(1)
  assert.deepEqual(await resolving, at(1))
})

test('resolveMaster() does not wait when the others have failed', async () => {
  assert.deepEqual(await resolveMaster(sentinels('refused', master(1), 'refused')), at(1))
})

test('resolveMaster() takes the first answer that comes after 300 ms', async () => {
  let thaw: (reply: Reply) => void = () => undefined
  const network = sentinels('frozen', 'frozen', 'frozen')
  const open = network.driver.open.bind(network.driver)
  const driver: Driver = {
    ...network.driver,
    open: (address, options, events) => ({
      ...open(address, options, events),
      send: () => new Promise((resolve) => (thaw = resolve)),
    }),
  }
  const resolving = resolveMaster({ ...network, driver })
  await settled()
  network.clock.advance(400)
  thaw(master(2))
  assert.deepEqual(await resolving, at(2))
})

test('resolveMaster() names every sentinel and its answer when nobody knows', async () => {
  const network = sentinels('refused', 'frozen', 'closes')
  const resolving = resolveMaster(network)
  await settled()
  network.clock.advance(800)
  await assert.rejects(resolving, (error: Error) => {
    assert.equal(
      error.message,
      "No sentinel names the master 'mymaster' (10.0.0.1:1: connect ECONNREFUSED; 10.0.0.1:2: no answer within 800 ms; 10.0.0.1:3: the connection was closed)",
    )
    return true
  })
  await settled()
  assert.equal(network.open.size, 0)
  assert.equal(network.clock.pending, 0)
})

test('resolveMaster() authenticates at the sentinels with their own credentials', async () => {
  const network = sentinels(([word]) => (word === 'AUTH' ? 'OK' : master(1)))
  const sentinelCredentials = { username: 'u', password: 'p' }
  await resolveMaster({ ...network, endpoint: { ...network.endpoint, sentinelCredentials } })
  assert.deepEqual(network.commands[0], ['AUTH', 'u', 'p'])
  const withoutUser = { username: undefined, password: 'p' }
  await resolveMaster({ ...network, endpoint: { ...network.endpoint, sentinelCredentials: withoutUser } })
  assert.deepEqual(network.commands[2], ['AUTH', 'p'])
})

const FAULTS: readonly [Behaviour[], string][] = [
  [['refused', 'refused', 'refused'], 'sentinels-away'],
  [['refused', 'closes'], 'sentinels-away'],
  [[null, null, null], 'sentinel-unknown-master'],
  [[null, 'refused', null], 'sentinel-unknown-master'],
  [[null, 'refused', 'refused'], 'sentinels-away'],
  [[new Error('NOAUTH Authentication required.'), 'refused'], 'password-missing'],
  [[new Error('WRONGPASS invalid username-password pair or user is disabled.')], 'wrong-password'],
  [['nonsense', ['host only']], 'sentinels-away'],
]

for (const [behaviours, code] of FAULTS) {
  test(`resolveMaster() fails with the fault ${code} when the sentinels say ${JSON.stringify(behaviours)}`, async () => {
    const error: unknown = await resolveMaster(sentinels(...behaviours)).catch((error: unknown) => error)
    assert.equal(faultOfFailure(error, { phase: 'resolve', tls: false, everUp: false }).code, code)
  })
}

test('resolveMaster() looks names up and tries all their addresses', async () => {
  const network = sentinels('refused', master(1))
  const tried: string[] = []
  const open = network.driver.open.bind(network.driver)
  const driver: Driver = {
    ...network.driver,
    open: (address, options, events) => {
      if (address.kind === 'tcp') tried.push(`${address.name} at ${address.host}, ${options.tls?.servername}`)
      // The first address of the name is dead, the second is the sentinel.
      const port = tried.length
      return open({ kind: 'tcp', host: '10.0.0.1', port }, options, events)
    },
  }
  const endpoint = { ...network.endpoint, addresses: [{ kind: 'tcp', host: 's1', port: 26379 }] as const, tls: {} }
  const lookup = (): Promise<readonly string[]> => Promise.resolve(['::1', '127.0.0.1'])
  assert.deepEqual(await resolveMaster({ ...network, driver, endpoint, lookup }), at(1))
  assert.deepEqual(tried, ['s1 at ::1, s1', 's1 at 127.0.0.1, s1'])
})

test('resolveMaster() opens nothing any more when the names are looked up too late', async () => {
  const network = sentinels(master(1))
  const question = Promise.withResolvers<readonly string[]>()
  const endpoint = { ...network.endpoint, addresses: [{ kind: 'tcp', host: 's1', port: 26379 }] as const }
  const resolving = resolveMaster({ ...network, endpoint, lookup: () => question.promise })
  network.clock.advance(800)
  await assert.rejects(resolving, /s1:26379: no answer within 800 ms/)
  question.resolve(['10.0.0.1'])
  await settled()
  assert.equal(network.commands.length, 0)
})

test('resolveMaster() ends at once when the attempt it belongs to does, and leaves nothing open', async () => {
  const network = sentinels('frozen', 'frozen', 'frozen')
  const attempt = new AbortController()
  const asked = resolveMaster({ ...network, signal: attempt.signal })
  await settled()
  assert.equal(network.open.size, 3)
  attempt.abort()
  await assert.rejects(asked, { code: 'SENTINELS_AWAY' })
  await settled()
  assert.equal(network.open.size, 0)
  assert.equal(network.clock.pending, 0)
})
