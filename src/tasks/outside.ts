/**
 * Attempts that are made outside of this library, by a worker in another language: claimed, renewed and ended through here,
 * behind the same fence.
 *
 *     claim ─▶ { id, token, attempt, payload } ─▶ (somebody works, renews) ─▶ complete | fail ─▶ accepted, or too late
 */
import { randomUUID } from 'node:crypto'
import { channels } from '../telemetry/channels.ts'
import { countLatency } from './counters.ts'
import type { TasksStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { TasksSettings } from './options.ts'
import { errorText, jsonText } from './payload.ts'
import { retryDelayMs } from './retry.ts'
import type { Accepted, Claimed, Ending, Lease } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
import type { Task } from './task.ts'
import { isUuid } from './uuid7.ts'

/** An attempt that somebody makes; all three are asked for whenever it is renewed or ended. */
export interface OutsideLease {
  readonly id: string
  readonly token: string
  /** 1 at the first try. */
  readonly attempt: number
}

/** A task that was claimed for somebody. */
export interface OutsideTask extends OutsideLease {
  readonly name: string
  readonly payload: unknown
  /** It is theirs for so long, and again so long after each renewal. */
  readonly leaseMs: number
}

/** Which tasks are wanted: these, or the best that are ready. */
export interface ClaimOptions {
  /** @default the best of `names` */
  readonly ids?: readonly string[]
  /** @default all names of the definitions */
  readonly names?: readonly string[]
  /** @default 1 */
  readonly atMost?: number
}

/** What became of a renewal: go on, stop because somebody wants it, stop because the task is another's. */
export type Renewal = 'held' | 'cancelled' | 'lost'

export interface OutsideWork {
  claim(options: ClaimOptions): Promise<OutsideTask[]>
  renew(lease: OutsideLease): Promise<Renewal>
  /** False: too late, the task is another's; what was done for it must not count. */
  complete(lease: OutsideLease, result?: unknown): Promise<boolean>
  /** What becomes of the task; `lost`: too late. */
  fail(lease: OutsideLease, error: string): Promise<'scheduled' | 'dead' | 'cancelled' | 'lost'>
}

export interface OutsideOptions {
  readonly store: TaskStore
  readonly settings: TasksSettings
  readonly stats: TasksStats
  readonly definitions: ReadonlyMap<string, TaskDefinition>
  readonly onEnded: (accepted: Accepted, delayMs: number | undefined) => void
}

export class Outside implements OutsideWork {
  readonly #options: OutsideOptions

  constructor(options: OutsideOptions) {
    this.#options = options
  }

  async claim({ ids, names, atMost = 1 }: ClaimOptions): Promise<OutsideTask[]> {
    const { store, settings, definitions } = this.#options
    const known = (names ?? [...definitions.keys()]).filter((name) => definitions.has(name))
    if (known.length === 0) return []
    const limits = new Map(known.map((name) => [name, atMost]))
    const demand = { token: randomUUID(), via: 'redis', atMost, limits, graceMs: 0 } as const
    const claimed =
      ids === undefined
        ? await store.claimBest({ ...demand, via: 'sweep' })
        : await store.claimIds(ids.filter(isUuid), demand)
    const { leaseMs } = settings
    for (const task of claimed) this.#started(task)
    return claimed.map(({ id, token, attempt, name, payload }) => ({ id, token, attempt, name, payload, leaseMs }))
  }

  async renew(lease: OutsideLease): Promise<Renewal> {
    const renewed = (await this.#options.store.extend([{ ...leaseOf(lease), progress: undefined }])).get(lease.id)
    if (renewed === undefined) return 'lost'
    return renewed.cancelRequested ? 'cancelled' : 'held'
  }

  async complete(lease: OutsideLease, result?: unknown): Promise<boolean> {
    const task = await this.#taskOf(lease)
    if (task === undefined) return false
    const keepMs = this.#definitionOf(task)?.keepMs ?? this.#options.settings.keepMs
    const text = jsonText(result, `The result of the task '${task.name}'`)
    return (await this.#end(lease, task, { state: 'done', result: text, keepMs })) !== 'lost'
  }

  async fail(lease: OutsideLease, error: string): Promise<'scheduled' | 'dead' | 'cancelled' | 'lost'> {
    const { settings } = this.#options
    const task = await this.#taskOf(lease)
    if (task === undefined) return 'lost'
    const text = errorText(error)
    const delayMs = retryDelayMs(lease.attempt, this.#definitionOf(task)?.retry ?? {}, settings.random)
    const state = await this.#end(
      lease,
      task,
      lease.attempt >= task.maxAttempts
        ? { state: 'dead', error: text, keepMs: settings.keepDeadMs }
        : { state: 'scheduled', error: text, delayMs },
    )
    // What was asked for, or that somebody has cancelled it meanwhile.
    return state as 'scheduled' | 'dead' | 'cancelled' | 'lost'
  }

  async #taskOf({ id }: OutsideLease): Promise<Task | undefined> {
    return isUuid(id) ? (await this.#options.store.get([id]))[0] : undefined
  }

  #definitionOf({ name }: Task): TaskDefinition | undefined {
    return this.#options.definitions.get(name)
  }

  async #end(lease: OutsideLease, task: Task, part: Part): Promise<Accepted['state'] | 'lost'> {
    const ending = { ...leaseOf(lease), result: null, error: null, delayMs: null, keepMs: null, givenBack: false }
    const [accepted] = await this.#options.store.end([{ ...ending, ...part }])
    const state = accepted?.state ?? 'lost'
    this.#ended(lease, task, { state, error: part.error ?? undefined })
    if (accepted !== undefined)
      this.#options.onEnded(accepted, state === 'scheduled' ? (part.delayMs ?? undefined) : undefined)
    return state
  }

  #started({ id, name, attempt, via, waitedMs }: Claimed): void {
    const { stats, settings } = this.#options
    stats.started[via] += 1
    countLatency(stats, waitedMs)
    if (!channels.taskStarted.hasSubscribers) return
    const { queue, instance: worker } = settings
    channels.taskStarted.publish({ queue, id, name, attempt, via, waitedMs, worker })
  }

  #ended({ id, attempt }: OutsideLease, { name, via }: Task, { state, error }: OutsideEnd): void {
    const { stats, settings } = this.#options
    const outcome = OUTCOMES[state]
    stats[outcome] += 1
    if (!channels.taskEnded.hasSubscribers) return
    const { queue, instance: worker } = settings
    channels.taskEnded.publish({ queue, id, name, attempt, via: via ?? 'sweep', outcome, error, worker })
  }
}

type Part = Pick<Ending, 'state'> & Partial<Ending>

interface OutsideEnd {
  readonly state: Accepted['state'] | 'lost'
  readonly error: string | undefined
}

/** What became of the task, as the counters name it. */
const OUTCOMES = {
  done: 'done',
  scheduled: 'failed',
  ready: 'failed',
  running: 'failed',
  dead: 'dead',
  cancelled: 'cancelled',
  lost: 'fenced',
} as const

/** Whatever else came with it stays outside of the statement. */
function leaseOf({ id, token, attempt }: OutsideLease): Lease {
  return { id, token, attempt }
}
