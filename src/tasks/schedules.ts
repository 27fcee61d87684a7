/**
 * Tasks by the calendar. Every worker knows the calendar and none is the leader: whoever moves a schedule on to its next
 * tick in the database stores the task, in the same transaction, and the others find the tick taken.
 */
import { createRequire } from 'node:module'
import type { Cron } from 'croner'
import type { Database } from '../database/index.ts'
import { EvenkeelError, OptionError } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { channels } from '../telemetry/channels.ts'
import type { ScheduleOptions, TaskDefinition } from './definitions.ts'
import { errorText } from './payload.ts'

/** A tick found later than this was missed: no worker ran when it was due. */
const MISSED_MS = 60_000
/** A schedule whose task could not be started is tried again after this. */
const AGAIN_MS = 10_000

export interface SchedulesOptions {
  readonly definitions: ReadonlyMap<string, TaskDefinition>
  readonly database: Pick<Database, 'transaction'>
  readonly store: ScheduleStore
  /** Stores one task in the transaction. */
  readonly start: (name: string, payload: unknown, tx: Tx) => Promise<unknown>
}

type Tx = Parameters<Parameters<Database['transaction']>[0]>[0]

/** What is asked of the table. */
export interface ScheduleStore {
  lastTick(schedule: string): Promise<Date | undefined>
  advance(schedule: string, tick: Date, query: Pick<Tx, 'query'>): Promise<boolean>
}

interface Entry {
  readonly key: string
  readonly name: string
  readonly payload: unknown
  readonly missed: 'once' | 'skip'
  readonly cron: Cron
  /** The next tick, in wall-clock milliseconds; undefined until the table was asked. */
  next: number | undefined
  /** Not before this, after it failed. */
  pausedUntil: number
  /** What it failed with, as it was told. */
  complaint: string | undefined
}

export class Schedules {
  readonly #options: SchedulesOptions
  readonly #entries: readonly Entry[]

  /** @throws OptionError for a calendar that cannot be read, EvenkeelError `PEER_MISSING` without the package `croner` */
  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#entries = [...options.definitions].flatMap(([name, { schedule }]) =>
      schedule === undefined ? [] : entriesOf(name, [schedule].flat()),
    )
  }

  /** Starts what is due at this moment of the database's clock; returns how long until the next tick. */
  async tick(at: number): Promise<number> {
    let untilNext = Number.POSITIVE_INFINITY
    for (const entry of this.#entries) {
      if (entry.pausedUntil <= at) await this.#look(entry, at)
      untilNext = Math.min(untilNext, Math.max(entry.next ?? at, entry.pausedUntil) - at)
    }
    return untilNext
  }

  /** One that cannot start its task, for its payload perhaps, keeps no other from starting theirs. */
  async #look(entry: Entry, at: number): Promise<void> {
    try {
      entry.next ??= await this.#first(entry, at)
      if (entry.next <= at) entry.next = await this.#fire(entry, at)
      entry.complaint = undefined
    } catch (error) {
      // The database is away, for all of them.
      if (error instanceof EvenkeelError && error.retryable) throw error
      entry.pausedUntil = at + AGAIN_MS
      complain(entry, errorText(error))
    }
  }

  /** A calendar that is seen for the first time begins now. */
  async #first(entry: Entry, at: number): Promise<number> {
    const { store, database } = this.#options
    const known = await store.lastTick(entry.key)
    if (known === undefined) await database.transaction((tx) => store.advance(entry.key, new Date(at), tx))
    return nextAfter(entry, known?.getTime() ?? at)
  }

  async #fire(entry: Entry, at: number): Promise<number> {
    const { store, database, start } = this.#options
    const tick = latestBy(entry, at)
    const isWanted = entry.missed === 'once' || at - tick.getTime() <= MISSED_MS
    await database.transaction(async (tx) => {
      const isFirst = await store.advance(entry.key, tick, tx)
      if (isFirst && isWanted) await start(entry.name, entry.payload, tx)
    })
    return nextAfter(entry, at)
  }
}

/** Once, and again when it fails for another reason. */
function complain(entry: Entry, text: string): void {
  if (entry.complaint === text) return
  entry.complaint = text
  const message = `A schedule of the task '${entry.name}' could not start it: ${text}`
  channels.notice.publish({ source: 'tasks', level: 'error', message })
}

function nextAfter({ cron }: Entry, time: number): number {
  return cron.nextRun(new Date(time))?.getTime() ?? Number.POSITIVE_INFINITY
}

/** Of several ticks that are due only the latest counts. */
function latestBy(entry: Entry, at: number): Date {
  const [latest] = entry.cron.previousRuns(1, new Date(at + 1))
  return latest ?? new Date(entry.next ?? at)
}

const SCHEDULE_NAMES = ['cron', 'name', 'timeZone', 'payload', 'missed']

/** Two of the same key would take each other's ticks. */
function entriesOf(name: string, schedules: readonly ScheduleOptions[]): Entry[] {
  const names = schedules.flatMap((schedule) => schedule.name ?? [])
  const entries = schedules.map((schedule) => entryOf(name, schedule))
  const twice = repeated(names) ?? repeated(entries.map(({ key }) => key))
  if (twice === undefined) return entries
  throw new OptionError(
    `${name}.schedule`,
    `Expected the schedules of '${name}' to differ in their calendar or in their 'name'; there are two of '${twice}'.`,
  )
}

function repeated(texts: readonly string[]): string | undefined {
  return texts.find((text, index) => texts.indexOf(text) !== index)
}

function entryOf(name: string, schedule: ScheduleOptions): Entry {
  knownOptions(`${name}.schedule`, schedule, SCHEDULE_NAMES)
  const { cron, timeZone = 'UTC', payload = null, missed = 'once' } = schedule
  const key = [name, cron, timeZone, ...(schedule.name === undefined ? [] : [schedule.name])].join(' ')
  const { Cron } = loadCroner()
  try {
    const parsed = new Cron(cron, { timezone: timeZone, paused: true })
    // A wrong time zone is found when it is used.
    parsed.nextRun()
    return { key, name, payload, missed, cron: parsed, next: undefined, pausedUntil: 0, complaint: undefined }
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new OptionError(
      `${name}.schedule`,
      `The schedule '${cron}' (${timeZone}) of '${name}' cannot be read: ${text}`,
      { cause },
    )
  }
}

type Croner = { readonly Cron: typeof Cron }

/** At once and not later, so that a wrong calendar is refused when it is given. */
function loadCroner(): Croner {
  try {
    return createRequire(import.meta.url)('croner') as Croner
  } catch (cause) {
    throw new EvenkeelError('PEER_MISSING', "Schedules need the package 'croner', which could not be loaded.", {
      cause,
      nextStep: 'Install it beside evenkeel: npm install croner',
    })
  }
}
