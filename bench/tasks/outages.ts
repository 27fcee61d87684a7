/**
 * Outages of Redis: one order every 10 ms, whatever has become of the one before. What does the caller get, and what becomes
 * of the jobs? The contenders play one after the other, each from a clean start.
 *
 * - accepted / refused  orders answered with success, and with an error; the rest had no answer when the scene was over
 * - wait                from the call to its answer, success or error
 * - start               from the call to the first line of the handler, of jobs that were put in during the phase
 * - refused, yet ran    the caller was told an error, and the job ran all the same, then or later
 * - lost                accepted, and not started when the scene had been over for some seconds
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printTable } from '../link/table.ts'
import { monotonicMs, type Adapter } from './adapter.ts'
import { percentile } from './latency.ts'
import { Cast, type Stage } from './stage.ts'

const EVERY_MS = 10
const CONCURRENCY = 10
const AFTERMATH_MS = 4000

const HEADER = [
  'phase',
  ...['accepted', 'refused', 'no answer'],
  ...['wait p50', 'p99'],
  ...['start p50', 'p99'],
  ...['refused, yet ran', 'lost'],
]

interface Phase {
  readonly name: string
  readonly forMs: number
  begin(stage: Stage): Promise<void> | void
}

const PHASES: readonly Phase[] = [
  { name: 'Redis up', forMs: 2000, begin: () => undefined },
  { name: 'killed', forMs: 3000, begin: ({ redis }) => redis.kill() },
  { name: 'back, empty', forMs: 2000, begin: ({ redis }) => redis.start({ empty: true }) },
  { name: 'frozen', forMs: 3000, begin: ({ redis }) => redis.freeze() },
  { name: 'thawed', forMs: 2000, begin: ({ redis }) => redis.thaw() },
]

interface Call {
  readonly n: number
  readonly phase: string
  readonly sentAt: number
  answer: { readonly ok: boolean; readonly afterMs: number } | undefined
}

export async function outages(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  for (const adapter of adapters) {
    console.log(`\n${adapter.name}: an order every ${EVERY_MS} ms while Redis comes and goes\n`)
    printTable(HEADER, await played(stage, adapter))
  }
}

async function played(stage: Stage, adapter: Adapter): Promise<string[][]> {
  await stage.clean()
  await using cast = await Cast.open(adapter, stage.servers, CONCURRENCY)
  const calls: Call[] = []
  for (const phase of PHASES) {
    await phase.begin(stage)
    const endsAt = performance.now() + phase.forMs
    while (performance.now() < endsAt) {
      calls.push(place(cast, calls.length + 1, phase.name))
      await sleep(EVERY_MS)
    }
  }
  await sleep(AFTERMATH_MS)
  const startedAt = new Map(cast.starts.map(([n, , at]) => [n, at]))
  return PHASES.map(({ name }) =>
    rowOf(
      name,
      calls.filter(({ phase }) => phase === name),
      startedAt,
    ),
  )
}

/** Not awaited: the next customer does not wait for this one. */
function place(cast: Cast, n: number, phase: string): Call {
  const call: Call = { n, phase, sentAt: monotonicMs(), answer: undefined }
  const answered = (ok: boolean) => (): void => {
    call.answer = { ok, afterMs: monotonicMs() - call.sentAt }
  }
  cast.order().then(answered(true), answered(false))
  return call
}

function rowOf(name: string, calls: readonly Call[], startedAt: ReadonlyMap<number, number>): string[] {
  const accepted = calls.filter(({ answer }) => answer?.ok === true)
  const waits = calls.flatMap(({ answer }) => (answer === undefined ? [] : [answer.afterMs]))
  const starts = calls.flatMap(({ n, sentAt }) => {
    const at = startedAt.get(n)
    return at === undefined ? [] : [at - sentAt]
  })
  return [
    name,
    String(accepted.length),
    String(waits.length - accepted.length),
    String(calls.length - waits.length),
    percentile(waits, 0.5),
    percentile(waits, 0.99),
    percentile(starts, 0.5),
    percentile(starts, 0.99),
    String(calls.filter(({ n, answer }) => answer?.ok === false && startedAt.has(n)).length),
    String(accepted.filter(({ n }) => !startedAt.has(n)).length),
  ]
}
