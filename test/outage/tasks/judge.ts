/**
 * What a run amounts to, and which promises it broke.
 */
import { percentile } from '../../support/statistics.ts'
import type { Run } from './chaos.ts'
import type { Span } from './faults.ts'
import type { Start } from './ledger.ts'
import type { OrderFate } from './shop-child.ts'

/** What was going on when an order was placed; of several things the one that bears on it most. */
export type Phase =
  | 'all well'
  | 'worker killed or paused'
  | 'Redis killed'
  | 'Redis frozen'
  | 'Redis returning'
  | 'PostgreSQL restarted'

const PHASES: readonly Phase[] = [
  'all well',
  'worker killed or paused',
  'Redis killed',
  'Redis frozen',
  'Redis returning',
  'PostgreSQL restarted',
]

/** An order that takes longer has failed its customer. About ten busy processes share the two cores of the tests. */
export const ORDER_BUDGET_MS = 1000
/** While the database itself is away an order is refused, or waits for it, within the deadline of the database's calls. */
const DATABASE_BUDGET_MS = 5000
/** The producer's database looks at a server that was away about so often. */
const DATABASE_BACK_MS = 3000
const HINT_BACK_MS = 1000
const FROZEN_AT_MOST = 2

/** How much later than promised counts as promised, for machines that do other things too. */
export interface Slack {
  readonly orderMs: number
  readonly p99Ms: number
  readonly hintMs: number
}

export interface PhaseFigures {
  readonly phase: Phase
  readonly orders: number
  readonly refused: number
  readonly slow: number
  readonly waits: readonly number[]
  /** Of the tasks that were begun at their first attempt: until then, since they were stored. */
  readonly starts: readonly number[]
  readonly byRedis: number
}

export interface Verdict {
  readonly phases: readonly PhaseFigures[]
  /** Accepted, and not in the database. */
  readonly vanished: readonly string[]
  /** In the database, and never done. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /**
   * From the moment Redis was back, and no longer held back for flapping, until a task was begun by its hint. Only of returns
   * that nothing else interrupted.
   */
  readonly hintsBackMs: readonly number[]
}

export function judge(run: Run): Verdict {
  const { fates, orders, effects } = run
  const accepted = fates.filter(({ trouble }) => trouble === undefined)
  const starts = new Map(run.starts.map((start) => [start.orderId, start]))
  const counted = fates.filter(({ at }) => at >= run.beganAt)
  return {
    phases: PHASES.map((phase) =>
      figuresOf(
        phase,
        counted.filter((fate) => phaseOf(fate, run.spans) === phase),
        starts,
      ),
    ),
    vanished: accepted.filter(({ id }) => !orders.has(id)).map(({ id }) => id),
    lost: [...orders].filter((id) => !effects.has(id)),
    doubled: [...effects].filter(([, times]) => times > 1).map(([id]) => id),
    hintsBackMs: hintsBack(run),
  }
}

/** The promises that were broken, in words; none: the run has passed. */
export function brokenPromises(run: Run, slack: Slack): string[] {
  const { phases, vanished, lost, doubled, hintsBackMs } = judge(run)
  const inWords = (ids: readonly string[], what: string): string[] =>
    ids.length === 0 ? [] : [`${ids.length} orders ${what}, such as ${ids[0]}`]
  return [
    ...inWords(vanished, 'were accepted and are not in the database'),
    ...inWords(lost, 'were never done'),
    ...inWords(doubled, 'had their effect twice'),
    ...unfinished(run),
    ...run.fates.flatMap((fate) => brokenByOrder(fate, run.spans, slack)).slice(0, 10),
    ...frozenTooSlow(phases, slack),
    ...hintsBackMs
      .filter((ms) => ms > HINT_BACK_MS + slack.hintMs)
      .map((ms) => `Redis was back for ${Math.round(ms)} ms before a hint started a task`),
    ...(run.errors === '' ? [] : [`stderr: ${run.errors.slice(0, 2000)}`]),
  ]
}

function unfinished({ states }: Run): string[] {
  const left = Object.entries(states).filter(([state]) => state !== 'done')
  return left.map(([state, tasks]) => `${tasks} tasks are still ${state}`)
}

function brokenByOrder(fate: OrderFate, spans: readonly Span[], { orderMs }: Slack): string[] {
  const { id, ms, trouble } = fate
  const isDatabaseAway = phaseOf(fate, spans) === 'PostgreSQL restarted'
  if (trouble !== undefined && !(isDatabaseAway && trouble.byDatabase)) return [`${id} was refused: ${trouble.text}`]
  const budget = isDatabaseAway ? DATABASE_BUDGET_MS : ORDER_BUDGET_MS
  return ms > budget + orderMs ? [`${id} took ${Math.round(ms)} ms`] : []
}

function frozenTooSlow(phases: readonly PhaseFigures[], { p99Ms }: Slack): string[] {
  const p99 = (phase: Phase): number => percentile(phases.find((one) => one.phase === phase)?.waits ?? [], 0.99)
  const [well, frozen] = [p99('all well'), p99('Redis frozen')]
  if (!(frozen > FROZEN_AT_MOST * well + p99Ms)) return []
  return [`order p99 is ${frozen.toFixed(1)} ms while Redis is frozen and ${well.toFixed(1)} ms while all is well`]
}

function figuresOf(phase: Phase, fates: readonly OrderFate[], starts: ReadonlyMap<string, Start>): PhaseFigures {
  const begun = fates.flatMap(({ id }) => starts.get(id) ?? [])
  const first = begun.filter(({ attempt }) => attempt === 1)
  return {
    phase,
    orders: fates.length,
    refused: fates.filter(({ trouble }) => trouble !== undefined).length,
    slow: fates.filter(({ ms }) => ms > ORDER_BUDGET_MS).length,
    waits: fates.filter(({ trouble }) => trouble === undefined).map(({ ms }) => ms),
    starts: first.map(({ createdAt, startedAt }) => startedAt - createdAt),
    byRedis: begun.filter(({ via }) => via === 'redis').length / begun.length,
  }
}

function phaseOf({ at, ms }: OrderFate, spans: readonly Span[]): Phase {
  const during = (fault: Span['fault'], afterMs = 0): boolean =>
    spans.some((span) => span.fault === fault && at + ms >= span.from && at <= span.to + afterMs)
  if (during('PostgreSQL restarted', DATABASE_BACK_MS)) return 'PostgreSQL restarted'
  // A process that starts takes a core from the others, whatever Redis does.
  if (during('worker killed') || during('worker paused')) return 'worker killed or paused'
  if (during('Redis frozen')) return 'Redis frozen'
  if (during('Redis killed')) return 'Redis killed'
  return returns(spans).some(({ from, judgedAt }) => at >= from && at <= judgedAt) ? 'Redis returning' : 'all well'
}

/** The link holds back a Redis that went away more than once within a minute (link/flap-hold.ts). */
function heldBackMs(outages: number): number {
  return outages <= 1 ? 0 : Math.min(5000, 250 * 2 ** (outages - 1))
}

interface Return {
  readonly from: number
  /** From now on it is no longer held back for flapping. */
  readonly usableAt: number
  /** By now hints must start tasks again. */
  readonly judgedAt: number
}

function returns(spans: readonly Span[]): Return[] {
  const outages = spans.filter(({ fault }) => fault.startsWith('Redis'))
  return outages.map(({ to }) => {
    const usableAt = to + heldBackMs(outages.filter(({ from }) => from < to && from > to - 60_000).length)
    return { from: to, usableAt, judgedAt: usableAt + HINT_BACK_MS }
  })
}

function hintsBack({ spans, starts, fates }: Run): number[] {
  const lastOrderAt = Math.max(...fates.map(({ at }) => at))
  const hinted = starts.filter(({ via }) => via === 'redis').map(({ startedAt }) => startedAt)
  const isClear = (from: number, to: number): boolean =>
    to < lastOrderAt &&
    !spans.some((span) => span.fault.startsWith('PostgreSQL') && span.from < to && span.to + DATABASE_BACK_MS > from)
  const outages = spans.filter(({ fault }) => fault.startsWith('Redis'))
  return returns(spans).flatMap((one) => {
    const isInterrupted = outages.some(({ from }) => from > one.from && from < one.judgedAt)
    if (isInterrupted || !isClear(one.from, one.judgedAt)) return []
    return [Math.max(0, Math.min(...hinted.filter((at) => at > one.from)) - one.usableAt)]
  })
}
