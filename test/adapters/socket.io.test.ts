/**
 * Servers of socket.io in two processes and clients at both, with a real Redis that is well, killed, frozen and flapping, without a
 * database, with SQLite and with PostgreSQL. The suites of socket.io's own adapters are only in its repository; what they ask is asked here.
 */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { io as connect, type Socket } from 'socket.io-client'
import { CallableProcess } from '../support/callable-process.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import type { ServerSettings, SocketServer } from './socket.io/server-child.ts'

const CHILD = new URL('socket.io/server-child.ts', import.meta.url)
/** The link's own time to notice that Redis is frozen, and two noisy cores. */
const NOBODY_WAITS_MS = 1000 + 1500

const { redis, ends } = await redisOfFile()

interface Running {
  readonly process: CallableProcess<SocketServer>
  readonly url: string
}

async function serves(settings: Omit<ServerSettings, 'redis'> = {}): Promise<Running> {
  const child = await CallableProcess.start<SocketServer>(CHILD)
  ends.push(() => child.stop())
  const options = { heartbeatMs: 300, goneMs: 1500, ...settings.options }
  const url = await child.call('listen', { redis: redis.url, ...settings, options })
  await eventually('Redis to be told', async () => (await child.call('state')).place === 'redis')
  return { process: child, url }
}

async function pair(settings: Omit<ServerSettings, 'redis'> = {}): Promise<readonly [Running, Running]> {
  const [one, other] = await Promise.all([serves(settings), serves(settings)])
  for (const { process: server } of [one, other])
    await eventually('both to know each other', async () => (await server.call('serverCount')) === 2)
  return [one, other]
}

interface Client {
  readonly socket: Socket
  readonly notes: unknown[]
}

async function client({ url }: Running, user = 'anna', namespace = ''): Promise<Client> {
  const socket = connect(`${url}${namespace}`, {
    transports: ['websocket'],
    forceNew: true,
    auth: { user },
    reconnectionDelay: 50,
  })
  ends.push(() => socket.close())
  const notes: unknown[] = []
  // Behind it comes the place that the client comes back with.
  socket.on('note', (note: unknown) => notes.push(note))
  socket.on('question', (answer: (text: string) => void) => answer(user))
  await eventually('the client to be connected', () => socket.connected)
  return { socket, notes }
}

/** A message over each server's own path, after which whatever went before has arrived. */
async function settled(servers: readonly Running[], clients: readonly Client[]): Promise<void> {
  for (const [index, { process: server }] of servers.entries()) {
    await server.call('emit', `end ${index}`)
    for (const { notes } of clients)
      await eventually(`the end of server ${index}`, () => notes.includes(`end ${index}`))
  }
  for (const { notes } of clients)
    notes.splice(0, notes.length, ...notes.filter((note) => !/^end \d$/.test(String(note))))
}

describe('socket.io, Redis up', () => {
  test('broadcasts: to all, to rooms, but for some, here alone, in one namespace, with bytes', async () => {
    const [one, other] = await pair()
    const [here, there, elsewhere] = [await client(one), await client(other), await client(other, 'anna', '/other')]
    await there.socket.emitWithAck('join', 'red')
    const bytes = { bytes: Buffer.from([1, 2, 255]), list: [Buffer.from('x')], at: new Date(0), none: null }
    await one.process.call('emit', bytes)
    await one.process.call('emitTo', ['red'], [], 'red alone')
    await one.process.call('emitTo', [], ['red'], 'but red')
    await one.process.call('emitLocal', 'here alone')
    await one.process.call('emitElsewhere', 'other namespace')
    await eventually('the other namespace', () => elsewhere.notes.length === 1)
    await settled([one], [here, there])
    const arrived = { ...bytes, at: '1970-01-01T00:00:00.000Z' }
    assert.deepEqual(here.notes, [arrived, 'but red', 'here alone'])
    assert.deepEqual(there.notes, [arrived, 'red alone'])
    assert.deepEqual(elsewhere.notes, ['other namespace'])
  })

  test('sockets of all servers: found, joined, left, written to, asked and disconnected', async () => {
    const [one, other] = await pair()
    const [here, there] = [await client(one, 'anna'), await client(other, 'ben')]
    const { result } = await one.process.call('fetchSockets')
    assert.deepEqual(result.map(({ data }) => (data as { user: string }).user).toSorted(), ['anna', 'ben'])
    assert.ok(result.every(({ id, rooms }) => rooms.includes(id)))

    await one.process.call('join', 'blue')
    await settled([one], [here, there])
    await other.process.call('emitTo', ['blue'], [], 'to blue')
    await settled([other], [here, there])
    await other.process.call('leave', 'blue')
    await settled([other], [here, there])
    await one.process.call('emitTo', ['blue'], [], 'to nobody')
    await one.process.call('emitToEach')
    await eventually('each to be written to', () => [here, there].every(({ notes }) => notes.length === 2))
    for (const { socket, notes } of [here, there]) assert.deepEqual(notes, ['to blue', `to ${socket.id}`])

    const asked = await one.process.call('emitWithAck', 5000)
    assert.deepEqual((asked.result as string[]).toSorted(), ['anna', 'ben'])
    await there.socket.emitWithAck('join', 'out')
    there.socket.io.reconnection(false)
    await one.process.call('disconnect', 'out')
    await eventually('it to be disconnected', () => !there.socket.connected)
    assert.ok(here.socket.connected)
  })

  test('servers among themselves: told, asked, counted; one that leaves is not waited for', async () => {
    const [one, other] = await pair()
    await one.process.call('tell', 'news', { n: 1 })
    await eventually('the other to be told', async () => (await other.process.call('state')).heard.length === 1)
    assert.deepEqual((await one.process.call('state')).heard, [])
    const { result } = await one.process.call('ask', 'who')
    assert.equal((result as string[]).length, 1)
    assert.match(String(result), /^who: \d+$/)

    await other.process.call('close')
    await eventually('it to be gone', async () => (await one.process.call('serverCount')) === 1)
    assert.deepEqual((await one.process.call('ask', 'who')).result, [])
    assert.deepEqual((await one.process.call('state')).partials, [])
  })

  test('a server that was killed: an answer in time from the others, or an error where that is wanted', async () => {
    const settings = { options: { deadlineMs: 200, goneMs: 60_000 } }
    const [one, other] = await pair(settings)
    const strict = await serves({ options: { ...settings.options, whenPartial: 'reject' } })
    await eventually('all three', async () => (await strict.process.call('serverCount')) === 3)
    await client(one)
    await other.process.stop()
    const found = await one.process.call('fetchSockets')
    assert.equal(found.result.length, 1)
    assert.ok(found.milliseconds < NOBODY_WAITS_MS, `${found.milliseconds} ms`)
    assert.equal(((await one.process.call('ask', 'who')).result as string[]).length, 1)
    assert.deepEqual((await one.process.call('state')).partials, [
      { request: 'fetchSockets', missing: 1 },
      { request: 'serverSideEmit', missing: 1 },
    ])
    assert.match(String((await strict.process.call('ask', 'who')).result), /Only 1 of 2 other servers/)
    await assert.rejects(strict.process.call('fetchSockets'), /Only 1 of 2 other servers/)
  })

  test('a client that comes back to the other server has missed nothing; where that cannot be, it begins anew', async () => {
    const [one, other] = await pair()
    const { socket, notes } = await client(one)
    await socket.emitWithAck('join', 'red')
    await one.process.call('emit', 1)
    await eventually('the first', () => notes.length === 1)
    const before = socket.id
    const moveTo = ({ url }: Running): void => {
      // The same client at another server, as behind a load balancer.
      ;(socket.io as unknown as { uri: string }).uri = url
    }
    moveTo(other)
    socket.io.reconnectionDelay(600).reconnectionDelayMax(600)
    await one.process.call('cut', before ?? '')
    await eventually('it to be cut off', () => !socket.connected)
    await one.process.call('emitTo', ['red'], [], 2)
    await one.process.call('tell', 'behind it')
    await eventually('it to have arrived', async () => (await other.process.call('state')).heard.length === 1)
    await other.process.call('emitTo', ['blue'], [], 'not for this one')
    await other.process.call('emit', Buffer.from([3]))
    await eventually('it to be back', () => socket.connected)
    await eventually('what it missed', () => notes.length === 3)
    assert.deepEqual([socket.recovered, socket.id, notes], [true, before, [1, 2, Buffer.from([3])]])
    await one.process.call('emitTo', ['red'], [], 4)
    await eventually('the fourth, in its room', () => notes.at(-1) === 4)

    moveTo(one)
    await other.process.call('cut', before ?? '')
    await eventually('it to be cut off again', () => !socket.connected)
    await redis.kill()
    await redis.start({ empty: true })
    await eventually('it to be back again', () => socket.connected)
    assert.equal(socket.recovered, false)
  })
})

let postgres: PostgresServer
const DATABASES = {
  'without a database': () => Promise.resolve(undefined),
  'with SQLite': () => {
    const directory = scratchDirectory('socket-io')
    ends.push(() => removeScratch(directory))
    return Promise.resolve({ directory })
  },
  'with PostgreSQL': async () => {
    postgres = await PostgresServer.start()
    ends.push(() => postgres.stop())
    return postgres.url
  },
} as const

for (const [name, database] of Object.entries(DATABASES))
  test(`socket.io ${name}: Redis killed, frozen and flapping; local at once, nobody waits, nobody ends, all is well after it`, async (t) => {
    const way = await database()
    const [one, other] = await pair(way === undefined ? {} : { database: way })
    const [here, there] = [await client(one), await client(other)]
    await settled([one, other], [here, there])
    const crosses = way !== undefined

    await redis.kill()
    await eventually(
      'the other way',
      async () => (await one.process.call('state')).place === (crosses ? 'database' : 'local'),
    )
    await outage({ t, one, here, there, crosses, label: `${name}, killed` })
    await redis.start({ empty: true })
    await healed([one, other], [here, there])
    await caughtUp(there, `${name}, killed`)

    redis.freeze()
    try {
      // From the first moment on, before anybody knows.
      await outage({ t, one, here, there, crosses, label: `${name}, frozen` })
    } finally {
      redis.thaw()
    }
    await healed([one, other], [here, there])
    await caughtUp(there, `${name}, frozen`)

    for (let turn = 1; turn <= 3; turn++) {
      await redis.kill()
      await one.process.call('emit', `flap ${turn}`)
      await redis.start({ empty: true })
      await one.process.call('emit', `flop ${turn}`)
    }
    const flaps = (): unknown[] => here.notes.filter((note) => /^fl[ao]p/.test(String(note)))
    await eventually('all of it here', () => flaps().length === 6)
    await healed([one, other], [here, there])
    for (const { process: server } of [one, other]) {
      const { maxLagMs } = await server.call('state')
      assert.ok(maxLagMs < 2000, `the event loop stood still for ${maxLagMs} ms`)
      assert.equal(server.errors, '')
    }
  })

interface Outage {
  readonly t: TestContext
  readonly one: Running
  readonly here: Client
  readonly there: Client
  /** The other server can be reached. */
  readonly crosses: boolean
  readonly label: string
}

async function outage({ t, one, here, there, crosses, label }: Outage): Promise<void> {
  const local: number[] = []
  for (let turn = 0; turn < 9; turn++) {
    const note = `${label} ${turn}`
    const startedAt = performance.now()
    await one.process.call('emit', note)
    await eventually('the local client', () => here.notes.includes(note), { everyMs: 1 })
    local.push(performance.now() - startedAt)
  }
  const median = local.toSorted((a, b) => a - b)[4] ?? Infinity
  const [found, asked, acked] = [
    await one.process.call('fetchSockets'),
    await one.process.call('ask', 'who'),
    await one.process
      .call('emitWithAck', 3000)
      .catch((error: unknown) => ({ milliseconds: 3000, result: String(error) })),
  ]
  t.diagnostic(
    `${label}: local ${median.toFixed(1)} ms, fetchSockets ${found.milliseconds.toFixed(0)} ms, serverSideEmit ${asked.milliseconds.toFixed(0)} ms, emitWithAck ${acked.milliseconds.toFixed(0)} ms`,
  )
  assert.ok(median < 100, `${label}: ${local.join(', ')} ms`)
  for (const { milliseconds } of [found, asked])
    assert.ok(milliseconds < NOBODY_WAITS_MS, `${label}: ${milliseconds} ms`)
  assert.ok(found.result.length >= 1, 'what is known here is answered')
  assert.ok(Array.isArray(asked.result))
  if (!crosses) return
  const startedAt = performance.now()
  await one.process.call('emit', `${label} last`)
  await eventually('the other client', () => there.notes.includes(`${label} last`), { everyMs: 5 })
  t.diagnostic(`${label}: to the other process ${(performance.now() - startedAt).toFixed(0)} ms`)
}

/** Broadcasts are kept for clients that come back, so those of the other server have them by then; each once. */
async function caughtUp({ notes }: Client, label: string): Promise<void> {
  const wanted = Array.from({ length: 9 }, (_, turn) => `${label} ${turn}`)
  await eventually('what was emitted meanwhile', () => wanted.every((note) => notes.includes(note)))
  assert.deepEqual(
    notes.filter((note) => wanted.includes(String(note))),
    wanted,
  )
}

async function healed(servers: readonly Running[], clients: readonly Client[]): Promise<void> {
  for (const { process: server } of servers)
    await eventually('Redis to be told again', async () => (await server.call('state')).place === 'redis')
  await eventually('the servers to know each other', async () => (await servers[0]?.process.call('serverCount')) === 2)
  await settled(servers, clients)
  assert.equal((await servers[0]?.process.call('fetchSockets'))?.result.length, 2)
}
