/**
 * Events over WebSockets, with a real Redis that is well, killed and frozen, and with clients that come back, are slow, are dead, come
 * from other pages or may see only their own.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { webSocketEvents, type WebSocketEventsOptions } from '../../src/adapters/websocket.ts'
import { OptionError } from '../../src/errors.ts'
import { listening } from '../support/listening.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { hearer, type Hearer } from './notifications/hearers.ts'

const { redis, ends } = await redisOfFile()

async function hears(settings: object = {}): Promise<Hearer> {
  const made = await hearer(redis, settings)
  ends.push(() => made.close())
  return made
}

type Options = Partial<WebSocketEventsOptions<'order.*'>>

/** An endpoint whose visitors see what has no user, and what has their own; a visitor without a name is refused. */
async function endpoint({ events }: Hearer, options: Options = {}) {
  const sockets = webSocketEvents(events, { topics: 'order.*', ...options })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    const user = request.headers['x-user'] ?? 'somebody'
    if (user === 'nobody') return sockets.refuse(socket, 401)
    sockets.upgrade(
      { request, socket, head },
      {
        view: ({ payload }) => (payload.user === undefined || payload.user === user ? payload : undefined),
        stillAllowed: () => !gone.has(String(user)),
      },
    )
  })
  const url = (await listening(server)).replace('http:', 'ws:')
  ends.push(() => {
    sockets.close()
    server.closeAllConnections()
    server.close()
  })
  return { sockets, server, url: `${url}/` }
}

const gone = new Set<string>()

interface Message {
  readonly type: string
  readonly lastId?: string
  readonly reason?: string
  readonly dropped?: number
  readonly payload?: { readonly n: number }
}

class Visitor {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  code: number | undefined
  refused: number | undefined

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, { headers })
    this.socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Message))
    this.socket.on('close', (code) => {
      this.code = code
    })
    this.socket.on('unexpected-response', (_request, { statusCode }) => {
      this.refused = statusCode
    })
    this.socket.on('error', () => undefined)
    ends.push(() => this.socket.terminate())
  }

  get story(): (string | number)[] {
    const told = this.messages.filter(({ type }) => type === 'event' || type === 'gap')
    return told.map(({ reason = '', payload }) => payload?.n ?? `gap: ${reason}`)
  }

  get lastId(): string {
    return this.messages.findLast(({ lastId }) => lastId !== undefined)?.lastId ?? ''
  }

  async until(count: number): Promise<void> {
    await eventually(`${count} events or gaps`, () => this.story.length >= count)
  }
}

async function visits(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Visitor> {
  const visitor = new Visitor(url, headers)
  await eventually('a hello', () => visitor.messages[0]?.type === 'hello')
  return visitor
}

test('hello, events of two processes, only what one may see; back by the address or by a message', async () => {
  const [here, there] = [await hears(), await hears()]
  const { url } = await endpoint(here, { heartbeatMs: 20 })
  const anna = await visits(url, { 'x-user': 'anna' })
  await here.publish(1, 2)
  await anna.until(2)
  await there.publish(3, 3, { user: 'anna' })
  await anna.until(3)
  const before = anna.lastId
  await there.publish(4, 5, { user: 'ben' })
  await eventually(
    'the place to move on',
    () => anna.messages.some(({ type }) => type === 'place') && anna.lastId !== before,
  )
  assert.deepEqual(anna.story, [1, 2, 3])
  assert.deepEqual(Object.keys(anna.messages.find(({ type }) => type === 'event') ?? {}), [
    'type',
    'id',
    'topic',
    'at',
    'lastId',
    'replayed',
    'payload',
  ])

  const firstId = anna.messages.find(({ payload }) => payload?.n === 1)?.lastId ?? ''
  const back = await visits(`${url}?after=${firstId}`, { 'x-user': 'anna' })
  await back.until(2)
  assert.deepEqual(back.story, [2, 3])
  const later = await visits(url, { 'x-user': 'anna' })
  later.socket.send(JSON.stringify({ after: firstId }))
  await later.until(2)
  await here.publish(6, 6)
  await later.until(3)
  assert.deepEqual(later.story, [2, 3, 6])

  for (const nonsense of ['hello', '{"after":1}', 'null']) later.socket.send(nonsense)
  await eventually('an answer to each', () => later.messages.filter(({ type }) => type === 'error').length === 3)
  later.socket.send(JSON.stringify({ after: 'none of yours' }))
  await later.until(4)
  assert.equal(later.story.at(-1), 'gap: unknown-id')
  for (let time = 0; time < 20; time++) later.socket.send(JSON.stringify({ after: firstId }))
  await eventually('an end of it', () => later.code !== undefined)
  assert.equal(later.code, 1008)
})

test('killed, and back empty: goes on here, and what is gone is told before what follows', async () => {
  const here = await hears()
  const { url } = await endpoint(here)
  const visitor = await visits(url)
  await here.publish(1, 2)
  await visitor.until(2)
  const first = visitor.messages.find(({ payload }) => payload?.n === 1)?.lastId
  await redis.kill()
  await here.events.publish('order.paid', { n: 3 })
  await visitor.until(3)
  await redis.start({ empty: true })
  await eventually('Redis to be told', () => here.events.stats.place === 'redis' && here.events.stats.held === 0)
  const late = await hears()
  const back = await visits(`${(await endpoint(late)).url}?after=${first}`)
  await eventually('the third', () => back.story.includes(3))
  assert.equal(back.story[0], 'gap: begun-anew')
})

test('a slow client is told what it missed, one that answers no ping is cut off, a long message ends the connection', async () => {
  const here = await hears({ maxHeld: 5 })
  const { url, sockets } = await endpoint(here, {
    maxQueued: 20,
    stalledMs: 1500,
    heartbeatMs: 100,
    maxMessageBytes: 100,
  })
  const [slow, quick] = [await visits(url), await visits(url)]
  slow.socket.pause()
  const text = 'x'.repeat(64 * 1024)
  await Promise.all(
    Array.from({ length: 200 }, (_, index) => here.events.publish('order.paid', { n: index + 1, text })),
  )
  await eventually('events to be dropped', () => here.events.stats.dropped > 50)
  await quick.until(20)
  slow.socket.resume()
  await eventually('the last event', () => slow.story.at(-1) === 200)
  assert.ok(slow.story.includes('gap: slow'))
  const dropped = slow.messages.reduce((sum, message) => sum + (message.dropped ?? 0), 0)
  assert.equal(slow.story.filter((told) => typeof told === 'number').length + dropped, 200)

  slow.socket.pause()
  await eventually('it to be cut off', () => sockets.clients === 1)
  assert.equal(quick.code, undefined)
  quick.socket.send('x'.repeat(200))
  await eventually('it to be closed', () => quick.code !== undefined)
  assert.equal(quick.code, 1009)
})

test('other pages, strangers and too many are turned away; whoever may hear no more is ended', async () => {
  const here = await hears()
  const { url } = await endpoint(here, { heartbeatMs: 20, recheckMs: 20, maxClients: 2 })
  const turned = [new Visitor(url, { origin: 'https://evil.example' }), new Visitor(url, { 'x-user': 'nobody' })]
  await eventually('both to be refused', () => turned.every(({ refused }) => refused !== undefined))
  assert.deepEqual(
    turned.map(({ refused }) => refused),
    [403, 401],
  )
  const own = await visits(url, { origin: url.replace('ws:', 'http:').slice(0, -1), 'x-user': 'anna' })
  await visits(url)
  const third = new Visitor(url)
  await eventually('the third to be sent away', () => third.code !== undefined)
  assert.equal(third.code, 1013)
  gone.add('anna')
  await eventually('anna to be ended', () => own.code !== undefined)
  gone.clear()
  assert.equal(own.code, 1008)
})

test('it stops with Redis frozen and a client that does not say goodbye; a WebSocket of another server is taken too', async () => {
  const here = await hears()
  const { url, sockets, server } = await endpoint(here)
  const other = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  ends.push(() => other.close())
  other.on('connection', (socket, request) => sockets.open(socket, request, { view: ({ payload }) => payload }))
  await eventually('it to listen', () => other.address() !== null)
  const guest = await visits(`ws://127.0.0.1:${(other.address() as AddressInfo).port}/`)
  const [polite, mute] = [await visits(url), await visits(url)]
  await here.publish(1, 1)
  await guest.until(1)
  mute.socket.pause()
  redis.freeze()
  try {
    const startedAt = performance.now()
    sockets.close()
    await new Promise((resolve) => server.close(resolve))
    assert.ok(performance.now() - startedAt < 2500, 'neither Redis nor the mute client is waited for')
    assert.deepEqual([polite.code, guest.code], [1001, 1001])
  } finally {
    redis.thaw()
  }
})

test('what cannot work is said when the endpoint is made', async () => {
  const { events } = await hears()
  assert.throws(() => webSocketEvents(events, { topics: 'order.*', maxBufferedBytes: 0 }), OptionError)
  const misspelt: object = { topics: 'order.*', origins: [] }
  assert.throws(() => webSocketEvents(events, misspelt as { topics: string }), OptionError)
})
