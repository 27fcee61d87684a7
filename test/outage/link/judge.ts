/**
 * Holds a measurement against what the link promises.
 */
import { DEADLINE_MS, type Fate } from './callers.ts'
import { PROMISES, type Cell, type Expectation } from './cell.ts'
import { latenessBetween, stalledBetween } from './loop-watch.ts'
import type { Measurement, Repetition } from './run.ts'

/** As in pending.ts: a process that stood still so long gives the sockets so long before it tells anybody of a deadline. */
const STALL_MS = 20
const STALL_GRACE_MS = 10

/** The figures of a cell; times are medians and worst of the repetitions, in milliseconds, counts are sums. */
export interface Figures {
  readonly waitMs: Spread
  /** How much longer than its deadline a caller waited, without what the process itself was late. */
  readonly overshootMs: Spread
  readonly detectMs: Spread
  readonly returnMs: Spread
  /** Ran more than once. */
  readonly duplicates: number
  /** The caller got an error, and it ran. */
  readonly ghosts: number
  /** The same behind the fence, and it ran after its deadline. */
  readonly lateGhosts: number
  readonly hung: number
  /** The error said that it surely had not run, and it ran. */
  readonly lies: number
  /** The caller got an answer, and it is not there. */
  readonly vanished: number
  readonly calls: number
  readonly errors: number
}

export interface Spread {
  readonly median: number
  readonly worst: number
}

export function figuresOf({ cell, repetitions }: Measurement): Figures {
  const fates = repetitions.flatMap((repetition) =>
    repetition.fates.filter((fate) => isReadable(cell, repetition, fate)),
  )
  const count = (is: (fate: Fate) => boolean): number => fates.filter(is).length
  return {
    waitMs: spread(repetitions.map(({ fates }) => Math.max(0, ...fates.map(waitOf)))),
    overshootMs: spread(repetitions.map(({ fates }) => Math.max(0, ...fates.map(overshootOf)))),
    detectMs: spread(repetitions.map(detectOf)),
    returnMs: spread(repetitions.map(returnOf)),
    duplicates: count(({ executions }) => executions > 1),
    ghosts: count(({ error, executions }) => error !== undefined && executions > 0),
    lateGhosts: count(isLateGhost),
    hung: count(({ settledAt }) => settledAt === undefined),
    lies: count(({ error, executions }) => error?.executed === 'no' && executions > 0),
    vanished: count(({ error, settledAt, executions }) => !error && settledAt !== undefined && executions === 0),
    calls: count(() => true),
    errors: count(({ error }) => error !== undefined),
  }
}

/** What was promised and not kept, in words; empty: all of it was. */
export function brokenPromises(measurement: Measurement): string[] {
  const { expect } = measurement.cell
  const figures = figuresOf(measurement)
  return [
    ...tooHigh('a caller waits longer than its deadline by', figures.overshootMs.median, PROMISES.overshootMs),
    ...tooHigh('degraded after', figures.detectMs.median, expect.degradedMs ?? Infinity),
    ...tooHigh('used again after', figures.returnMs.median, limitOfReturn(expect)),
    ...tooHigh('duplicates', figures.duplicates, 0),
    ...tooHigh('ran behind the fence, too late', figures.lateGhosts, 0),
    ...tooHigh('calls that never settle', figures.hung, 0),
    ...tooHigh("ran although the error says executed: 'no'", figures.lies, 0),
    ...tooHigh('acknowledged but not there', figures.vanished, 0),
    ...tooHigh('calls that failed', figures.errors, expect.served === true ? figures.calls / 20 : Infinity),
    ...measurement.repetitions.flatMap((repetition) => brokenOnce(measurement.cell, repetition)),
  ]
}

function brokenOnce({ expect, phase }: Cell, repetition: Repetition): string[] {
  const { detectedAs, reason, upPeriods = 2, gaps: [fewest, most] = [0, 1], connectionsLeft: mayBeLeft = 0 } = expect
  const { gaps, untoldMessages, connectionsLeft, healths } = repetition
  const detected = degradation(repetition)?.health.reason.code
  const ups = healths.filter(({ health }) => health.state === 'up').length
  return [
    ...(detectedAs === undefined || phase === 'boot' ? [] : unexpected('degraded because', detected, detectedAs)),
    ...unexpected('the reason before the heal is', repetition.reason, reason),
    ...tooHigh('times up', ups, upPeriods),
    ...(gaps.length < fewest ? [`gaps: ${gaps.length} instead of ${fewest} at least`] : []),
    ...tooHigh('gaps', gaps.length, most),
    ...tooHigh('lost messages that no gap tells of', untoldMessages, 0),
    ...tooHigh('connections left after close()', connectionsLeft, mayBeLeft),
  ]
}

function limitOfReturn({ stays, returnMs }: Expectation): number {
  return stays === true ? Infinity : (returnMs ?? PROMISES.returnMs)
}

function tooHigh(what: string, value: number, limit: number): string[] {
  return value > limit ? [`${what}: ${Math.round(value)}, at most ${limit}`] : []
}

function unexpected(what: string, value: string | undefined, known: readonly string[]): string[] {
  return value !== undefined && known.includes(value) ? [] : [`${what} '${value}', expected ${known.join(' or ')}`]
}

/** After a restart without data nobody knows any more what ran before it. */
function isReadable({ expect }: Cell, { healedAt }: Repetition, { issuedAt, settledAt = Infinity }: Fate): boolean {
  return expect.dataLost !== true || issuedAt > healedAt || settledAt === Infinity
}

/** An error may come before the deadline, when the connection is lost; until then the call may still run. */
function isLateGhost({ error, dueAt, ranAt }: Fate): boolean {
  return error !== undefined && ranAt !== undefined && ranAt > Math.max(error.at, dueAt)
}

function waitOf({ issuedAt, settledAt }: Fate): number {
  return settledAt === undefined ? Infinity : settledAt - issuedAt
}

/** Without what this process was late by itself, and what the link adds to that to read the sockets first. */
function overshootOf({ sentAt, settledAt = Infinity }: Fate): number {
  const dueAt = sentAt + DEADLINE_MS
  if (settledAt <= dueAt) return 0
  const late = latenessBetween(dueAt, settledAt)
  return Math.max(0, settledAt - dueAt - late - (late > STALL_MS ? STALL_GRACE_MS : 0))
}

/** The first health after the fault had begun that is not `up`. */
function degradation({ healths, beganAt }: Repetition): Repetition['healths'][number] | undefined {
  return healths.find(({ at, health }) => at >= beganAt && health.state !== 'up' && health.state !== 'closed')
}

/** From the begin of the fault, without what this process was late by itself. */
function detectOf(repetition: Repetition): number {
  const { beganAt } = repetition
  const at = degradation(repetition)?.at
  return at === undefined ? Infinity : Math.max(0, at - beganAt - stalledBetween(beganAt, at))
}

/** From the heal, likewise. */
function returnOf({ healedAt, usedAgainAt }: Repetition): number {
  if (usedAgainAt === undefined) return Infinity
  return Math.max(0, usedAgainAt - healedAt - stalledBetween(healedAt, usedAgainAt))
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN, worst: sorted.at(-1) ?? NaN }
}
