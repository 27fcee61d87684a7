/**
 * The worker: a number of hands, and what they take next.
 *
 *     hinted ids ────▶ claim by id ───┐
 *     woken, swept ──▶ claim the best ┴─▶ attempt ─▶ hand is free: look again
 *
 * When a claim has filled every hand there may be more, and then priority decides, not the order of the hints.
 */
import { randomUUID } from 'node:crypto'
import { EvenkeelError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { Attempt, giveBack } from './attempt.ts'
import type { AttemptOutcome, AttemptParts } from './attempt.ts'
import { countLatency } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Leases } from './leases.ts'
import { errorText } from './payload.ts'
import { RecentIds } from '../recent-ids.ts'
import type { Claimed, Demand } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
import type { Via } from './task.ts'

export interface WorkerOptions {
  readonly parts: AttemptParts
  readonly store: TaskStore
  readonly definitions: ReadonlyMap<string, TaskDefinition>
  readonly leases: Leases
  /** Hands are free. */
  readonly onFree: () => void
  /** So many hinted ids were looked at; `isNews` when one of them was still to be done. */
  readonly onHints: (hinted: number, isNews: boolean) => void
}

interface Wish {
  readonly via: Via
  readonly graceMs: number
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #active = new Map<string, number>()
  readonly #recent = new RecentIds()
  readonly #limited: boolean
  #running = 0
  /** Claims by `one()` that have no answer yet. */
  #claiming = 0
  #hinted: string[] = []
  #wish: Wish | undefined
  #pumping = false
  #freeing = false
  #stopping = false
  #complaint: string | undefined
  #onIdle: (() => void) | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#limited = [...options.definitions.values()].some(({ concurrency }) => concurrency !== undefined)
  }

  /** Tasks that could be begun now. */
  get free(): number {
    if (this.#stopping) return 0
    const { settings, endings } = this.#options.parts
    // A database that is slow to take ends must not be asked for beginnings.
    if (endings.pending > settings.concurrency * 2 + 100) return 0
    // Whoever runs tasks by their ids may have begun more than there are hands.
    return Math.max(0, settings.concurrency - this.#running)
  }

  get running(): number {
    return this.#running
  }

  /** There may be tasks, at least so old. */
  wake(via: Via, graceMs = 0): void {
    if (this.#stopping) return
    if (this.#wish === undefined || graceMs < this.#wish.graceMs) this.#wish = { via, graceMs }
    this.#pump()
  }

  /** These tasks are ready, or were. */
  hint(ids: readonly string[]): void {
    const unknown = ids.filter((id) => !this.#recent.has(id))
    if (unknown.length === 0) this.#options.onHints(ids.length, false)
    this.#hinted.push(...unknown)
    this.#pump()
  }

  /** Does this task, if it is ready, whatever hands are free: the queue that brought it decides how many run. */
  async one(id: string): Promise<AttemptOutcome | 'over'> {
    const { outcome } = await this.#beginOne(id)
    return await outcome
  }

  /** Begins nothing more; resolves when nothing runs. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#hinted = []
    this.#wish = undefined
    if (this.#isIdle && !this.#freeing) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  get #isIdle(): boolean {
    return this.#running === 0 && this.#claiming === 0 && !this.#pumping
  }

  /** Whoever stops meanwhile waits until the task is begun, or given back. */
  async #beginOne(id: string): Promise<{ readonly outcome: Promise<AttemptOutcome> | AttemptOutcome | 'over' }> {
    const { store, definitions, parts } = this.#options
    if (this.#stopping) return { outcome: 'over' }
    this.#claiming += 1
    try {
      const askedAt = this.#now
      const limits = new Map([...definitions.keys()].map((name) => [name, 1]))
      const [task] = await store.claimIds([id], this.#demand('redis', 1, limits))
      const definition = task === undefined ? undefined : definitions.get(task.name)
      if (task === undefined || definition === undefined) return { outcome: 'over' }
      this.#recent.add(id)
      if (!this.#stopping) return { outcome: this.#attempt(task, definition, askedAt) }
      giveBack(task, parts)
      return { outcome: 'givenBack' }
    } finally {
      this.#claiming -= 1
      this.#settled()
    }
  }

  #pump(): void {
    if (this.#pumping || this.#stopping) return
    if (this.#wish === undefined && this.#hinted.length === 0) return
    this.#pumping = true
    void this.#claimAll().finally(() => {
      this.#pumping = false
      this.#settled()
    })
  }

  async #claimAll(): Promise<void> {
    while (this.free > 0 && (this.#wish !== undefined || this.#hinted.length > 0)) {
      try {
        await (this.#wish === undefined ? this.#claimHinted() : this.#claimWished(this.#wish))
        this.#complaint = undefined
      } catch (error) {
        // The next sweep finds what was hinted.
        this.#hinted = []
        this.#wish = undefined
        this.#complain(error)
      }
    }
  }

  async #claimHinted(): Promise<void> {
    const { store } = this.#options
    const atMost = this.free
    const ids = this.#hinted
    this.#hinted = []
    const askedAt = this.#now
    const claimed = await store.claimIds(ids, this.#demand('redis', atMost, this.#unlimited()))
    this.#options.onHints(ids.length, claimed.length > 0)
    const more = claimed.length >= atMost && ids.length > atMost
    if (more || (this.#limited && claimed.length < ids.length)) this.#wish ??= { via: 'redis', graceMs: 0 }
    this.#begin(claimed, askedAt)
  }

  async #claimWished(wish: Wish): Promise<void> {
    const { store } = this.#options
    this.#wish = undefined
    const atMost = this.free
    const limits = this.#limits(atMost)
    if (limits.size === 0) return
    const askedAt = this.#now
    const claimed = await store.claimBest({ ...this.#demand(wish.via, atMost, limits), graceMs: wish.graceMs })
    if (claimed.length >= atMost) this.#wish ??= { via: 'database', graceMs: wish.graceMs }
    this.#begin(claimed, askedAt)
  }

  #demand(via: Via, atMost: number, limits: ReadonlyMap<string, number>): Demand {
    return { token: randomUUID(), via, atMost, limits, graceMs: 0 }
  }

  #limits(free: number): ReadonlyMap<string, number> {
    const limits = new Map<string, number>()
    for (const [name, { concurrency }] of this.#options.definitions)
      limits.set(name, concurrency === undefined ? free : Math.max(0, concurrency - (this.#active.get(name) ?? 0)))
    return limits
  }

  /** Names of which as many may run as there are hands: for the others one claim by ids cannot keep to the limit. */
  #unlimited(): ReadonlyMap<string, number> {
    const names = [...this.#options.definitions].filter(([, { concurrency }]) => concurrency === undefined)
    return new Map(names.map(([name]) => [name, Number.MAX_SAFE_INTEGER]))
  }

  #begin(claimed: readonly Claimed[], askedAt: number): void {
    for (const task of claimed) {
      this.#recent.add(task.id)
      const definition = this.#options.definitions.get(task.name)
      if (definition === undefined || this.#stopping) giveBack(task, this.#options.parts)
      else void this.#attempt(task, definition, askedAt)
    }
  }

  async #attempt(task: Claimed, definition: TaskDefinition, askedAt: number): Promise<AttemptOutcome> {
    const { parts, leases } = this.#options
    const attempt = new Attempt(task, definition, parts)
    this.#running += 1
    this.#active.set(task.name, (this.#active.get(task.name) ?? 0) + 1)
    this.#started(task)
    leases.hold(attempt, askedAt)
    await attempt.run()
    leases.release(attempt)
    this.#running -= 1
    const active = this.#active.get(task.name) ?? 1
    this.#active.set(task.name, active - 1)
    // Others of its name may have waited for its place.
    if (active === definition.concurrency) this.#wish ??= { via: 'database', graceMs: 0 }
    this.#freed()
    return await attempt.outcome
  }

  /** Tasks that end together free their hands together: one claim for all of them. */
  #freed(): void {
    if (this.#freeing) return
    this.#freeing = true
    this.#options.parts.settings.clock.afterIo(() => {
      this.#freeing = false
      this.#pump()
      this.#settled()
    })
  }

  #settled(): void {
    if (this.#pumping || this.#freeing) return
    if (this.#isIdle) this.#onIdle?.()
    if (this.free > 0) this.#options.onFree()
  }

  #started({ id, name, attempt, via, waitedMs }: Claimed): void {
    const { stats, settings } = this.#options.parts
    stats.started[via] += 1
    countLatency(stats, waitedMs)
    if (channels.taskStarted.hasSubscribers)
      channels.taskStarted.publish({
        queue: settings.queue,
        id,
        name,
        attempt,
        via,
        waitedMs,
        worker: settings.instance,
      })
  }

  get #now(): number {
    return this.#options.parts.settings.clock.now()
  }

  /** A database that is away is told once, by itself; anything else once per kind. */
  #complain(error: unknown): void {
    const text = errorText(error)
    if (text === this.#complaint || (error instanceof EvenkeelError && error.retryable)) return
    this.#complaint = text
    channels.notice.publish({ source: 'tasks', level: 'error', message: `Tasks cannot be claimed: ${text}` })
  }
}
