/**
 * Attempts that are made outside of this library, by a worker in another language: claimed, renewed and ended through here,
 * behind the same fence.
 *
 *     claim ─▶ { id, token, attempt, payload } ─▶ (somebody works, renews) ─▶ complete | fail ─▶ accepted, or too late
 */
import { randomUUID } from 'node:crypto'
import type { TaskDefinition } from './definitions.ts'
import type { TasksSettings } from './options.ts'
import { errorText, jsonText } from './payload.ts'
import { retryDelayMs } from './retry.ts'
import type { Accepted, Ending, Lease } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
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
    const keepMs = task.definition?.keepMs ?? this.#options.settings.keepMs
    const text = jsonText(result, `The result of the task '${task.name}'`)
    return await this.#end(lease, { state: 'done', result: text, keepMs })
  }

  async fail(lease: OutsideLease, error: string): Promise<'scheduled' | 'dead' | 'cancelled' | 'lost'> {
    const { settings } = this.#options
    const task = await this.#taskOf(lease)
    if (task === undefined) return 'lost'
    const text = errorText(error)
    const delayMs = retryDelayMs(lease.attempt, task.definition?.retry ?? {}, settings.random)
    const ending: Part = task.cancelRequested
      ? { state: 'cancelled', error: text, keepMs: settings.keepMs }
      : lease.attempt >= task.maxAttempts
        ? { state: 'dead', error: text, keepMs: settings.keepDeadMs }
        : { state: 'scheduled', error: text, delayMs }
    return (await this.#end(lease, ending)) ? (ending.state as 'scheduled' | 'dead' | 'cancelled') : 'lost'
  }

  async #taskOf({ id }: OutsideLease): Promise<FoundTask | undefined> {
    const [task] = isUuid(id) ? await this.#options.store.get([id]) : []
    if (task === undefined) return undefined
    const { name, maxAttempts, cancelRequested } = task
    return { name, maxAttempts, cancelRequested, definition: this.#options.definitions.get(name) }
  }

  async #end(lease: OutsideLease, part: Part): Promise<boolean> {
    const ending = { ...leaseOf(lease), result: null, error: null, delayMs: null, keepMs: null, givenBack: false }
    const [accepted] = await this.#options.store.end([{ ...ending, ...part }])
    if (accepted !== undefined) this.#options.onEnded(accepted, part.delayMs ?? undefined)
    return accepted !== undefined
  }
}

type Part = Pick<Ending, 'state'> & Partial<Ending>

interface FoundTask {
  readonly name: string
  readonly maxAttempts: number
  readonly cancelRequested: boolean
  readonly definition: TaskDefinition | undefined
}

/** Whatever else came with it stays outside of the statement. */
function leaseOf({ id, token, attempt }: OutsideLease): Lease {
  return { id, token, attempt }
}
