/** A process that publishes and hears events; the test calls what `EventFunctions` names. */
import { createDatabase, type Database } from 'evenkeel/database'
import { createEvents, topic, type EventGap, type Events, type TopicEvent } from 'evenkeel/events'
import { createLink, type RedisLink } from 'evenkeel/link'
import { answerCalls } from '../../support/answer-calls.ts'
import type { EventFunctions, Replayed, Flow, Heard, OpenOrder } from './functions.ts'

interface Payload {
  readonly who: string
  readonly n: number
}

const TOPICS = { 'number.*': topic<Payload>({ delivery: 'stream' }) }

let link: RedisLink | undefined
let database: Database | undefined
let events: Events<typeof TOPICS> | undefined
let who = ''
let heard: Heard[] = []
let gaps: EventGap[] = []
let timer: NodeJS.Timeout | undefined
let running: Promise<void>[] = []
let heardHere = new Set<number>()
let flow = newFlow()

function newFlow() {
  const waitsMs: number[] = []
  return { published: 0, waitsMs, lateHere: 0, rejected: 0 }
}

function theEvents(): Events<typeof TOPICS> {
  if (events === undefined) throw new Error('There are no events')
  return events
}

async function open({ who: name, redisPort, database: place }: OpenOrder): Promise<void> {
  clearInterval(timer)
  events?.close()
  await Promise.all([link?.close(), database?.close()])
  who = name
  heard = []
  gaps = []
  running = []
  heardHere = new Set()
  flow = newFlow()
  link = createLink({ host: '127.0.0.1', port: redisPort, name })
  database =
    place === undefined ? undefined : createDatabase(place.includes(':') ? { url: place } : { directory: place })
  events = createEvents(TOPICS, { link, database, maxHeld: 20_000 })
  const subscription = events.subscribe('number.*', hear, { onGap: (gap) => gaps.push(gap), maxQueued: 100_000 })
  events.start()
  database?.start()
  link.start()
  await database?.ready()
  await subscription.ready
}

function heardOf({ payload, id, lastId, replayed }: TopicEvent<string, Payload>): Heard {
  return { who: payload.who, n: payload.n, id, lastId, replayed }
}

function hear(event: TopicEvent<string, Payload>): void {
  heard.push(heardOf(event))
  if (event.payload.who === who) heardHere.add(event.payload.n)
}

async function publish(): Promise<void> {
  flow.published += 1
  const n = flow.published
  const startedAt = performance.now()
  const published = theEvents().publish('number.next', { who, n })
  await Promise.resolve()
  if (!heardHere.has(n)) flow.lateHere += 1
  await published.catch(() => {
    flow.rejected += 1
  })
  flow.waitsMs.push(performance.now() - startedAt)
}

async function end(): Promise<Flow> {
  clearInterval(timer)
  await Promise.all(running)
  return flow
}

/** Page by page, as whoever was away for long has to. */
async function replayAll(afterId: string): Promise<Replayed> {
  const found: Heard[] = []
  for (let after = afterId; ;) {
    const { events: list, complete, reason, more, lastId } = await theEvents().replay('number.*', after, { limit: 500 })
    found.push(...list.map(heardOf))
    if (!more || !complete) return { events: found, complete, reason: reason?.code }
    after = lastId
  }
}

answerCalls<EventFunctions>({
  open,
  begin: (everyMs) => {
    timer = setInterval(() => running.push(publish()), everyMs)
  },
  end,
  heard: () => heard,
  gaps: () => gaps,
  stats: () => theEvents().stats,
  replay: replayAll,
})
