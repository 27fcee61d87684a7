import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Adapter } from 'socket.io-adapter'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { OptionError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { socketIoAdapter, type SocketIoOptions, type SocketIoSource } from './socket.io.ts'

const EVENT = 2

/** Events whose publishing never comes to an end, as if Redis and the database were silent for good. */
function silentEvents() {
  const published: { readonly topic: string; readonly payload: { readonly message: { readonly type: number } } }[] = []
  const never = new Promise<never>(() => undefined)
  const silent = {
    lastId: 'place',
    stats: { place: 'redis' },
    publish(topic: string, payload: never) {
      published.push({ topic, payload: structuredClone(payload) })
      return never
    },
    subscribe: () => ({ ready: never, close: () => undefined }),
  } as unknown as SocketIoSource
  return { silent, published }
}

/** A namespace with one client. */
function namespaceWith(opts: object = {}) {
  const sent: unknown[] = []
  const socket = { id: 'one', client: { writeToEngine: (packets: unknown[]) => sent.push(...packets) } }
  const encoder = { encode: ({ data }: { data: unknown[] }) => [JSON.stringify(data)] }
  const namespace = { name: '/', _ids: 0, server: { opts, encoder }, sockets: new Map([['one', socket]]) }
  return { namespace, sent }
}

function setUp(serverOptions: object = {}, options: SocketIoOptions = {}) {
  const { silent, published } = silentEvents()
  const { namespace, sent } = namespaceWith(serverOptions)
  const clock = new ManualClock()
  const adapter: Adapter = socketIoAdapter(silent, { clock, ...options })(namespace)
  void adapter.addAll('one', new Set(['one']))
  return { adapter, sent, published, clock }
}

const everybody = { rooms: new Set<string>(), except: new Set<string>(), flags: {} }

test('broadcast() serves the clients of this server in the same turn, though nothing is ever heard of Redis', () => {
  const { adapter, sent, published } = setUp()
  adapter.broadcast({ type: EVENT, data: ['note', 1] }, everybody)
  assert.deepEqual(sent, ['["note",1]'])
  assert.match(published[0]?.topic ?? '', /\.once$/)
  adapter.broadcast({ type: EVENT, data: ['note', 2] }, { ...everybody, flags: { local: true } })
  assert.deepEqual([sent.length, published.length], [2, 1])
})

test('broadcast() tells the place to come back with where clients may, and keeps it for them unless it is volatile', () => {
  const { adapter, sent, published } = setUp({ connectionStateRecovery: {} })
  adapter.broadcast({ type: EVENT, data: ['note', 1] }, everybody)
  adapter.broadcast({ type: EVENT, data: ['note', 2] }, { ...everybody, flags: { volatile: true } })
  assert.deepEqual(sent, ['["note",1,"place"]', '["note",2]'])
  assert.deepEqual(
    published.map(({ topic }) => topic.split('.').at(-1)),
    ['kept', 'once'],
  )
})

test('broadcast() throws to its caller what the encoder throws, and leaves no rejection behind', () => {
  const { adapter } = setUp()
  assert.throws(() => adapter.broadcast({ type: EVENT, data: [1n] }, everybody), TypeError)
})

test('what cannot be put into JSON is told as a notice, once, and neither thrown nor rejected', () => {
  const notices: unknown[] = []
  const listener = (notice: unknown): void => void notices.push(notice)
  const stop = channels.notice.subscribe(listener)
  try {
    const { adapter } = setUp({ connectionStateRecovery: {} })
    const data: Record<string, unknown> = {}
    data['itself'] = data
    for (const pid of ['a', 'b']) adapter.persistSession({ sid: 'one', pid, rooms: [], data })
    assert.equal(notices.length, 1)
    assert.match(JSON.stringify(notices), /Other servers could not be told/)
  } finally {
    stop()
  }
})

test('fetchSockets() and serverCount() answer with this server when no other has been heard', async () => {
  const { adapter, clock } = setUp()
  await adapter.init()
  assert.deepEqual((await adapter.fetchSockets(everybody)).length, 1)
  assert.equal(await adapter.serverCount(), 1)
  await adapter.close()
  assert.equal(clock.pending, 0)
})

test('socketIoAdapter() says which option cannot work', () => {
  const { silent } = silentEvents()
  assert.throws(() => socketIoAdapter(silent, { deadlineMs: 0 }), OptionError)
  const misspelt: object = { deadline: 1 }
  assert.throws(() => socketIoAdapter(silent, misspelt), OptionError)
})
