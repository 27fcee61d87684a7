/**
 * Turns the changes of state that link and database publish into incidents, and each incident into few lines:
 * their number grows with the outages, never with the calls.
 *
 *   evenkeel:link:state ─────┐
 *   evenkeel:database:state ─┼──▶ IncidentTracker ──▶ logger
 *   evenkeel:notice ─────────┘
 */
import { systemClock, type Clock } from '../clock.ts'
import type { Reason } from '../errors.ts'
import { channels, type NoticeMessage } from './channels.ts'
import { IncidentTracker, type AtRisk, type Incident, type IncidentPhase, type Subject } from './incident.ts'
import { effectOf, incidentText } from './incident-text.ts'
import type { Logger, LogLevel } from './logging.ts'

/** One link or database to follow. */
export interface Watched {
  /** The name it publishes under. */
  readonly name: string
  /** Its counters of calls at risk. @default nothing is at risk */
  readonly risk?: () => AtRisk
}

export interface IncidentOptions {
  readonly logger: Logger
  readonly link?: Watched
  readonly database?: Watched
  /** @default the machine's clock, with timers that keep no process alive */
  readonly clock?: Clock
  /** Outages with less than this between them are one incident, in milliseconds. @default 30_000 */
  readonly steadyMs?: number
}

/** Figures about one subject, for metrics. */
export interface IncidentTotals {
  readonly incidents: number
  readonly awaySeconds: number
  readonly open: boolean
}

export interface IncidentWatch {
  /** Incidents that go on now. */
  readonly open: readonly Incident[]
  totals(subject: Subject): IncidentTotals
  close(): void
}

/** How often the counters of a good moment are remembered. */
const SAMPLE_MS = 1000
const NOTHING: AtRisk = { unknownFate: 0, refused: 0 }

/** On the way: neither away for a new reason, nor back. */
const BETWEEN = ['connecting', 'recovering']
/** The reason of a process that was told to work without Redis: that is no outage. */
export const MEMORY_MODE = 'memory-mode'

/** Machine's clock whose timers let the process end. */
const backgroundClock: Clock = { ...systemClock, setTimer: (run, delayMs) => setTimeout(run, delayMs).unref() }

/** Starts to follow; nothing is told about what happened before. */
export function watchIncidents(options: IncidentOptions): IncidentWatch {
  const { logger, link, database, clock = backgroundClock, steadyMs = 30_000 } = options
  const tracker = (subject: Subject, watched: Watched | undefined): IncidentTracker =>
    new IncidentTracker({
      subject,
      name: watched?.name ?? subject,
      clock,
      steadyMs,
      onPhase: (phase, incident) => tell(logger, phase, incident),
      risk: watched?.risk ?? (() => NOTHING),
    })
  const trackers = { redis: tracker('redis', link), database: tracker('database', database) }
  const stops = [
    channels.linkState.subscribe((message) => {
      if (message.link === link?.name) follow(trackers.redis, message)
    }),
    channels.databaseState.subscribe((message) => {
      if (message.database === database?.name) follow(trackers.database, message)
    }),
    channels.notice.subscribe((message) => notice(logger, message, [link?.name, database?.name])),
    every(clock, SAMPLE_MS, () => Object.values(trackers).forEach((each) => each.sample())),
  ]
  return {
    get open() {
      return Object.values(trackers).flatMap(({ current }) => (current?.outcome === 'open' ? [current] : []))
    },
    totals: (subject) => totalsOf(trackers[subject]),
    close() {
      for (const stop of stops) stop()
      for (const each of Object.values(trackers)) each.end()
    },
  }
}

function follow(tracker: IncidentTracker, { to, reason }: { readonly to: string; readonly reason: Reason }): void {
  if (BETWEEN.includes(to)) return
  if (to === 'up') tracker.back()
  else if (to === 'closed' || reason.code === MEMORY_MODE) tracker.end()
  else tracker.away({ state: to, reason })
}

function totalsOf(tracker: IncidentTracker): IncidentTotals {
  const { count, awaySeconds, current } = tracker
  return { incidents: count, awaySeconds, open: current?.outcome === 'open' }
}

function tell(logger: Logger, phase: IncidentPhase, incident: Incident): void {
  const cause = incident.causes.at(-1)
  const record = { ...incident, effect: effectOf(incident), remedy: cause?.nextStep }
  const isGood = incident.outcome === 'returned'
  // `error` by name, so that whoever greps the log for redis or for error finds the outage.
  const fields = { event: `incident.${phase}`, error: isGood ? undefined : cause, incident: record }
  logger[levelOf(phase, incident)](fields, incidentText(phase, incident))
}

/** Redis away is a warning, for the service goes on; the database away is an error, for it does not. */
function levelOf(phase: IncidentPhase, { subject, outcome }: Incident): LogLevel {
  if (phase === 'returned' || (phase === 'ended' && outcome === 'returned')) return 'info'
  return subject === 'database' ? 'error' : 'warn'
}

/** Told once by its source; the source's name tells whose it is. */
function notice(logger: Logger, message: NoticeMessage, names: readonly (string | undefined)[]): void {
  if (!names.includes(message.source)) return
  const { level, source, reason } = message
  logger[level]({ event: 'notice', source, ...(reason === undefined ? {} : { reason }) }, message.message)
}

function every(clock: Clock, milliseconds: number, run: () => void): () => void {
  const tick = (): void => {
    timer = clock.setTimer(tick, milliseconds)
    run()
  }
  let timer = clock.setTimer(tick, milliseconds)
  return () => clock.clearTimer(timer)
}
