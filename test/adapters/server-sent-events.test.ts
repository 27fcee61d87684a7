/**
 * Server-sent events under Express, Fastify and `node:http`, with a real Redis that is well, killed, frozen and back empty, and with
 * clients that are slow, gone, or may see only their own. `orders/notifications.test.ts` has the same with a browser.
 */
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { test } from 'node:test'
import express from 'express'
import { fastify } from 'fastify'
import { serverSentEvents, type ServerSentEventsOptions } from '../../src/adapters/server-sent-events.ts'
import { EventError, OptionError } from '../../src/errors.ts'
import { listening } from '../support/listening.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { hearer, type Hearer, type Note } from './notifications/hearers.ts'
import { StreamReader } from './notifications/stream-reader.ts'

const { redis, ends } = await redisOfFile()

async function hears(settings: object = {}): Promise<Hearer> {
  const made = await hearer(redis, settings)
  ends.push(() => made.close())
  return made
}

async function serves(handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  ends.push(() => closed(server))
  return `${await listening(server)}/`
}

function closed(server: Server): void {
  server.closeAllConnections()
  server.close()
}

type Options = Partial<ServerSentEventsOptions<'order.*' | 'shop.*'>>

/** An endpoint whose visitors see what has no user, and what has their own. */
async function endpoint({ events }: Hearer, options: Options = {}) {
  const stream = serverSentEvents(events, { topics: 'order.*', ...options })
  ends.push(() => stream.close())
  const url = await serves((request, response) => {
    const user = request.headers['x-user']
    stream.open(request, response, {
      view: ({ payload }) => (payload.user === undefined || payload.user === user ? payload : undefined),
      stillAllowed: () => !gone.has(String(user)),
    })
  })
  return { stream, url }
}

const gone = new Set<string>()

async function reads(url: string, headers: Readonly<Record<string, string>> = {}): Promise<StreamReader> {
  const reader = await StreamReader.open(url, headers)
  ends.push(() => reader.close())
  return reader
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('events of two processes arrive with id, name and data; nobody is told those of others, and comes back after them all the same', async () => {
  const [here, there] = [await hears(), await hears()]
  const { url, stream } = await endpoint(here, { heartbeatMs: 20 })
  const reader = await reads(url, { 'x-user': 'anna' })
  assert.equal(reader.status, 200)
  assert.match(String(reader.header('content-type')), /^text\/event-stream/)
  assert.match(String(reader.header('cache-control')), /no-transform/)
  await eventually('a place', () => reader.lastId !== '')
  assert.match(reader.text, /^retry: \d+\n\n/)

  await here.publish(1, 2, { user: 'anna' })
  await reader.until(2)
  await there.publish(3, 3)
  await reader.until(3)
  const first = reader.frames.find(({ data }) => data !== undefined)
  assert.equal(first?.event, 'order.paid')
  assert.deepEqual(Object.keys(first?.data ?? {}), ['id', 'topic', 'at', 'lastId', 'replayed', 'payload'])
  const before = reader.lastId
  await there.publish(4, 6, { user: 'ben' })
  await eventually('the place to move on', () => reader.lastId !== before)
  await eventually('all of it', () => !reader.text.includes('ben') && reader.lastId === here.events.lastId)
  assert.deepEqual(reader.numbers, [1, 2, 3])

  const again = await reads(url, { 'x-user': 'anna', 'last-event-id': before })
  await here.publish(7, 7)
  await again.until(1)
  assert.deepEqual(again.numbers, [7], 'and what was for ben is not replayed to anna either')
  assert.equal(stream.clients, 2)
  again.close()
  await eventually('the one who left to be forgotten', () => stream.clients === 1)
})

test('Last-Event-ID of the browser goes before the parameter of the address; what is none of ours is told, and not given back', async () => {
  const here = await hears()
  const { url } = await endpoint(here, { heartbeatMs: 20 })
  const reader = await reads(url)
  await here.publish(1, 9)
  await reader.until(9)
  const ids = reader.frames.filter(({ data }) => data !== undefined).map(({ id }) => id ?? '')

  const byAddress = await reads(`${url}?after=${ids[2]}`)
  await byAddress.until(6)
  assert.deepEqual(byAddress.numbers, numbers(4, 9))
  const byBoth = await reads(`${url}?after=${ids[2]}`, { 'last-event-id': ids[6] ?? '' })
  await byBoth.until(2)
  assert.deepEqual(byBoth.numbers, [8, 9])

  const stranger = await reads(`${url}?after=${encodeURIComponent('x\n\nevent: forged\ndata: 1')}`)
  await eventually('the gap', () => stranger.story.length === 1)
  await here.publish(10, 10)
  await stranger.until(1)
  assert.deepEqual(stranger.story, ['gap: unknown-id', 10])
  assert.doesNotMatch(stranger.text, /forged/)
})

test('killed and back empty: what this process had goes on, and what is gone is told before what follows', async () => {
  const [here, there] = [await hears(), await hears()]
  const { url } = await endpoint(here)
  const reader = await reads(url)
  await here.publish(1, 3)
  await reader.until(3)
  const { lastId } = reader
  await redis.kill()
  const startedAt = performance.now()
  await here.events.publish('order.paid', { n: 4 })
  await reader.until(4)
  assert.ok(performance.now() - startedAt < 1000, 'here at once')
  reader.close()
  await redis.start({ empty: true })
  await eventually('Redis to be told', () => there.events.stats.place === 'redis' && here.events.stats.held === 0)

  // Of the first four events the new Redis was told the fourth.
  const late = await hears()
  const { url: elsewhere } = await endpoint(late)
  const back = await reads(elsewhere, { 'last-event-id': lastId })
  await back.until(1)
  await there.publish(5, 5)
  await eventually('the fifth', () => back.numbers.at(-1) === 5)
  assert.equal(back.story[0], 'gap: begun-anew')
  assert.deepEqual(back.story.slice(-2), [4, 5])
  const gap = back.frames.find(({ event }) => event === 'gap')?.data as Record<string, unknown>
  assert.deepEqual([gap['complete'], gap['dropped']], [false, 0])
  assert.doesNotMatch(back.text, /127\.0\.0\.1/, 'no addresses for strangers')
})

test('a slow client holds up nobody, keeps little memory, and is told what it missed; one that takes nothing is cut off', async () => {
  const here = await hears({ maxHeld: 5 })
  const { url, stream } = await endpoint(here, { maxQueued: 20, stalledMs: 1500, heartbeatMs: 100 })
  const [slow, quick] = [await reads(url), await reads(url)]
  slow.pause()
  const text = 'x'.repeat(64 * 1024)
  const published = numbers(1, 200).map((n) => here.events.publish('order.paid', { n, text }))
  await Promise.all(published)
  // The socket's buffers take some of it, the queue 20.
  await eventually('events to be dropped', () => here.events.stats.dropped > 50)
  await quick.until(20)
  slow.resume()
  await eventually('the gap', () => slow.story.includes('gap: slow'))
  await eventually('the last event', () => slow.numbers.at(-1) === 200)
  const lost = slow.frames
    .filter(({ event }) => event === 'gap')
    .map(({ data }) => (data as { dropped: number }).dropped)
  const dropped = lost.reduce((sum, one) => sum + one, 0)
  assert.equal(slow.numbers.length + dropped, 200)

  slow.pause()
  await eventually('it to be cut off', async () => {
    for (let n = 201; n <= 220; n++) await here.events.publish('order.paid', { n, text })
    return stream.clients === 1
  })
  assert.equal(quick.ended, false)
})

test('whoever may hear no more is ended; too many, and all who come while it stops, are told to come later', async () => {
  const here = await hears()
  const { url, stream } = await endpoint(here, { heartbeatMs: 20, recheckMs: 20, maxClients: 2 })
  const [anna, ben] = [await reads(url, { 'x-user': 'anna' }), await reads(url, { 'x-user': 'ben' })]
  const third = await reads(url)
  await eventually('the third to be ended', () => third.ended)
  assert.deepEqual([third.status, third.frames], [200, []], 'after any other status a browser would not come back')
  assert.match(third.text, /^retry: \d+\n\n$/)
  gone.add('anna')
  await eventually('anna to be ended', () => anna.ended)
  assert.equal(ben.ended, false)

  redis.freeze()
  try {
    const startedAt = performance.now()
    stream.close()
    await eventually('ben to be ended', () => ben.ended)
    assert.ok(performance.now() - startedAt < 1000, 'Redis is not waited for')
    const late = await reads(url)
    await eventually('the late one to be ended', () => late.ended)
  } finally {
    redis.thaw()
    gone.clear()
  }
})

test('whoever has left before it was known who he is, and whoever asks for headers alone, is no client', async () => {
  const here = await hears()
  const stream = serverSentEvents(here.events, { topics: 'order.*' })
  ends.push(() => stream.close())
  let asked = 0
  let left = 0
  const url = await serves((request, response) => {
    asked += 1
    const open = (): void => stream.open(request, response, { view: ({ payload }) => payload })
    if (request.method === 'HEAD') return open()
    response.once('close', () => {
      left += 1
      open()
    })
  })
  const leaving = new AbortController()
  const reply = fetch(url, { signal: leaving.signal })
  await eventually('the request', () => asked === 1)
  leaving.abort()
  await assert.rejects(reply)
  await eventually('it to be noticed', () => left === 1)
  const { status } = await fetch(url, { method: 'HEAD' })
  assert.deepEqual([status, stream.clients], [200, 0])
})

test('under Express and Fastify, headers of theirs included; several topics are one stream', async () => {
  const here = await hears()
  const stream = serverSentEvents(here.events, { topics: ['order.paid', 'shop.*'], eventName: () => 'message' })
  ends.push(() => stream.close())
  const view = ({ payload }: { readonly payload: Note }): Note => payload
  const onExpress = express().get('/', (request, response) => {
    response.set('x-app', 'express')
    stream.open(request, response, { view })
  })
  const app = fastify().get('/', (request, reply) => {
    reply.hijack()
    reply.raw.setHeader('x-app', 'fastify')
    stream.open(request.raw, reply.raw, { view })
  })
  ends.push(() => closed(app.server))
  const urls = [await serves(onExpress), await app.listen({ port: 0, host: '127.0.0.1' })]
  const readers = await Promise.all(urls.map((url) => reads(url)))
  assert.deepEqual(
    readers.map((reader) => reader.header('x-app')),
    ['express', 'fastify'],
  )
  await here.publish(1, 1)
  await here.events.publish('order.cancelled', { n: 2 })
  await here.events.publish('shop.opened', { n: 3 })
  for (const reader of readers) {
    await reader.until(2)
    assert.deepEqual(reader.numbers, [1, 3])
    assert.deepEqual(new Set(reader.frames.map(({ event }) => event)), new Set([undefined, 'message']))
  }
})

test('what cannot work is said when the endpoint is made', async () => {
  const { events } = await hears()
  assert.throws(() => serverSentEvents(events, { topics: [] }), OptionError)
  assert.throws(() => serverSentEvents(events, { topics: 'order.*', retryMs: 0 }), OptionError)
  const misspelt: object = { topics: 'order.*', heartbeat: 1 }
  assert.throws(() => serverSentEvents(events, misspelt as { topics: string }), OptionError)
  assert.throws(() => serverSentEvents(events, { topics: 'nothing.like.it' }), EventError)
})
