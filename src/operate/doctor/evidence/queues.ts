/** The queues of Celery and of BullMQ, by the keys in which they keep their tasks. */
import { deniedAmong, known, mapped, valueOr, type Evidence } from '../../evidence.ts'
import type { Server } from '../server.ts'
import type { EvidenceSource } from './context.ts'
import { itemsOf } from './fields.ts'
import { databasesIn } from './keys.ts'
import type { QueueFacts, ServerValues } from './server-values.ts'

/** How long Celery lets a worker keep a task before it gives it to another one; its default. */
const VISIBILITY_TIMEOUT_S = 3600
const MAX_DATABASES = 16
const MAX_QUEUES = 100
const SCAN_STEP = 1000
const MAX_STEPS = 20

export const queues: EvidenceSource<ServerValues['queues']> = {
  reads: 'the keys of Celery and BullMQ',
  commands: ['select', 'scan', 'llen', 'zcard', 'zcount', 'hlen'],
  collect: async ({ server, clock, evidence }) => {
    const info = await evidence('info')
    if (info.kind !== 'known') return info
    // Both go from database to database over the same connection.
    await evidence('keys')
    const found: QueueFacts[] = []
    for (const { database } of databasesIn(info.value).slice(0, MAX_DATABASES)) {
      const selected = await server.ask('SELECT', String(database))
      if (selected.kind !== 'known' && database > 0) return selected
      const [celery, bullmq] = await Promise.all([
        celeryIn(server, database, clock.wallNow() / 1000),
        bullmqIn(server, database),
      ])
      if (celery.kind !== 'known') return celery
      if (bullmq.kind !== 'known') return bullmq
      found.push(...celery.value, ...bullmq.value)
    }
    return known(found)
  },
}

async function celeryIn(server: Server, database: number, now: number): Promise<Evidence<QueueFacts[]>> {
  const [waiting, taken, overdue] = await Promise.all([
    server.ask('LLEN', 'celery'),
    server.ask('HLEN', 'unacked'),
    server.ask('ZCOUNT', 'unacked_index', '-inf', String(now - VISIBILITY_TIMEOUT_S)),
  ])
  const denied = deniedAmong([waiting, taken, overdue])
  if (denied !== undefined) return denied
  const facts = { waiting: countOf(waiting), taken: countOf(taken), overdue: countOf(overdue) }
  if (facts.waiting + facts.taken + facts.overdue === 0) return known([])
  return known([{ kind: 'celery', name: 'celery', database, ...facts, delayed: 0, completed: 0, failed: 0 }])
}

async function bullmqIn(server: Server, database: number): Promise<Evidence<QueueFacts[]>> {
  const names = await bullmqNames(server)
  if (names.kind !== 'known') return names
  const queues = await Promise.all(names.value.map((name) => bullmqQueue(server, database, name)))
  return (
    deniedAmong(queues) ??
    known(
      queues.flatMap((queue) =>
        valueOr(
          mapped(queue, (facts) => [facts]),
          [],
        ),
      ),
    )
  )
}

/** Every queue has a hash `bull:<name>:meta`. */
async function bullmqNames(server: Server): Promise<Evidence<readonly string[]>> {
  const names = new Set<string>()
  let cursor = '0'
  for (let step = 0; step < MAX_STEPS && names.size < MAX_QUEUES; step++) {
    const page = await server.ask('SCAN', cursor, 'MATCH', 'bull:*:meta', 'COUNT', String(SCAN_STEP))
    if (page.kind !== 'known') return page
    const [next, found] = itemsOf(page.value)
    for (const key of itemsOf(found ?? null)) names.add(String(key).slice('bull:'.length, -':meta'.length))
    cursor = String(next)
    if (cursor === '0') break
  }
  return known([...names].slice(0, MAX_QUEUES))
}

async function bullmqQueue(server: Server, database: number, name: string): Promise<Evidence<QueueFacts>> {
  const key = (part: string): string => `bull:${name}:${part}`
  const [wait, prioritized, active, delayed, completed, failures] = await Promise.all([
    server.ask('LLEN', key('wait')),
    server.ask('ZCARD', key('prioritized')),
    server.ask('LLEN', key('active')),
    server.ask('ZCARD', key('delayed')),
    server.ask('ZCARD', key('completed')),
    server.ask('ZCARD', key('failed')),
  ])
  const denied = deniedAmong([wait, prioritized, active, delayed, completed, failures])
  if (denied !== undefined) return denied
  return known({
    kind: 'bullmq',
    name,
    database,
    waiting: countOf(wait) + countOf(prioritized),
    taken: countOf(active),
    overdue: 0,
    delayed: countOf(delayed),
    completed: countOf(completed),
    failed: countOf(failures),
  })
}

/** 0 where the key is of another type: then it is no queue. */
function countOf(reply: Evidence<unknown>): number {
  return valueOr(mapped(reply, Number), 0)
}
