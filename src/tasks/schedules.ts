/**
 * Tasks by the calendar. Every worker knows the calendar and none is the leader: whoever moves a schedule on to its next
 * tick in the database stores the task, in the same transaction, and the others find the tick taken.
 */
import { createRequire } from 'node:module'
import type { Cron } from 'croner'
import type { Database } from '../database/index.ts'
import { EvenkeelError, OptionError } from '../errors.ts'
import type { ScheduleOptions, TaskDefinition } from './definitions.ts'

/** A tick found later than this was missed: no worker ran when it was due. */
const MISSED_MS = 60_000

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
}

export class Schedules {
  readonly #options: SchedulesOptions
  readonly #entries: readonly Entry[]

  /** @throws OptionError for a calendar that cannot be read, EvenkeelError `PEER_MISSING` without the package `croner` */
  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#entries = [...options.definitions].flatMap(([name, { schedule }]) =>
      schedule === undefined ? [] : [schedule].flat().map((one) => entryOf(name, one)),
    )
  }

  /** Starts what is due at this moment of the database's clock; returns how long until the next tick. */
  async tick(at: number): Promise<number> {
    let untilNext = Number.POSITIVE_INFINITY
    for (const entry of this.#entries) {
      entry.next ??= await this.#first(entry, at)
      if (entry.next <= at) entry.next = await this.#fire(entry, at)
      untilNext = Math.min(untilNext, entry.next - at)
    }
    return untilNext
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

function nextAfter({ cron }: Entry, time: number): number {
  return cron.nextRun(new Date(time))?.getTime() ?? Number.POSITIVE_INFINITY
}

/** Of several ticks that are due only the latest counts. */
function latestBy(entry: Entry, at: number): Date {
  const [latest] = entry.cron.previousRuns(1, new Date(at + 1))
  return latest ?? new Date(entry.next ?? at)
}

function entryOf(name: string, { cron, timeZone = 'UTC', payload = null, missed = 'once' }: ScheduleOptions): Entry {
  const { Cron } = loadCroner()
  try {
    const parsed = new Cron(cron, { timezone: timeZone, paused: true })
    // A wrong time zone is found when it is used.
    parsed.nextRun()
    return { key: `${name} ${cron} ${timeZone}`, name, payload, missed, cron: parsed, next: undefined }
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
