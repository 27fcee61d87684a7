/**
 * One attempt at one task, from the claim to its end.
 *
 *     payload checked ─▶ run(payload, context) ─┬─ resolves ─▶ result and effect committed together, fenced
 *                          signal ◀─ abort()    └─ rejects ──▶ tried again later, or dead
 */
import type { TimerHandle } from '../clock.ts'
import type { Database } from '../database/index.ts'
import { DatabaseError, TaskError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import type { TasksStats } from './counters.ts'
import type { TaskContext, TaskDefinition } from './definitions.ts'
import type { Endings } from './endings.ts'
import { LazyTransaction } from './lazy-transaction.ts'
import type { TasksSettings } from './options.ts'
import { errorText, jsonText, validPayload } from './payload.ts'
import { retryDelayMs } from './retry.ts'
import type { Accepted, Claimed, Ending } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'

const TIMEOUT_MS = 600_000

export type AttemptOutcome = 'done' | 'failed' | 'dead' | 'cancelled' | 'givenBack' | 'fenced'

export interface AttemptParts {
  readonly database: Database
  readonly store: Pick<TaskStore, 'end' | 'over'>
  readonly endings: Endings
  readonly settings: TasksSettings
  readonly stats: TasksStats
  /** Stores the latest progress soon. */
  readonly onProgress: (attempt: Attempt) => void
  /** It is written down how it ended; `againInMs` when it is to be tried again. */
  readonly onEnded: (accepted: Accepted, againInMs: number | undefined) => void
}

export class Attempt {
  readonly claimed: Claimed
  /** JSON text of progress that is not stored yet. */
  progress: string | undefined
  readonly #definition: TaskDefinition
  readonly #parts: AttemptParts
  readonly #control = new AbortController()
  readonly #tx: LazyTransaction
  readonly #endsAt: number
  /** Resolves when an aborted function is no longer waited for. */
  readonly #abandoned = Promise.withResolvers<never>()
  readonly #outcome = Promise.withResolvers<AttemptOutcome>()
  #timer: TimerHandle | undefined
  #isEnding = false

  constructor(claimed: Claimed, definition: TaskDefinition, parts: AttemptParts) {
    const { clock } = parts.settings
    this.claimed = claimed
    this.#definition = definition
    this.#parts = parts
    const limitMs = definition.timeoutMs ?? TIMEOUT_MS
    this.#endsAt = clock.now() + limitMs
    this.#tx = new LazyTransaction({
      database: parts.database,
      deadlineMs: () => Math.max(1, Math.ceil(this.#endsAt - clock.now())),
    })
    this.#abandoned.promise.catch(() => 'told by run()')
    const text = `The attempt took longer than ${limitMs} ms.`
    this.#timer = clock.setTimer(() => this.abort(new TaskError('TASK_TIMEOUT', text)), limitMs)
  }

  /** Resolves when it is written down how it ended, or never will be. */
  get outcome(): Promise<AttemptOutcome> {
    return this.#outcome.promise
  }

  /** Its function has ended: its lease needs no renewal any more. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** Tells the function to stop; what it does after `abandonMs` is of no interest. */
  abort(reason: TaskError): void {
    const { signal } = this.#control
    if (this.#isEnding || signal.aborted) return
    const { clock, abandonMs } = this.#parts.settings
    this.#control.abort(reason)
    this.#clearTimer()
    this.#timer = clock.setTimer(() => {
      this.#parts.stats.abandoned += 1
      const { name, id } = this.claimed
      const message = `Task ${id} (${name}): its function goes on although its signal aborted ${abandonMs} ms ago (${reason.message}).`
      channels.notice.publish({ source: 'tasks', level: 'warn', message })
      this.#abandoned.reject(reason)
    }, abandonMs)
  }

  /** Resolves when the function has ended, or is given up; how it ended is being written down by then. */
  async run(): Promise<void> {
    try {
      const value = await Promise.race([this.#call(), this.#abandoned.promise])
      this.#isEnding = true
      await this.#succeeded(value)
    } catch (error) {
      this.#isEnding = true
      await this.#failed(error)
    } finally {
      this.#clearTimer()
    }
  }

  async #call(): Promise<unknown> {
    const { name, payload } = this.claimed
    const { run, validate } = this.#definition
    const valid = await validPayload(name, payload, validate)
    // What came out of the database, and past the validator, is what start() took.
    return await this.#tx.call(() => run(valid as never, this.#context()))
  }

  #context(): TaskContext {
    const { id, name, attempt } = this.claimed
    return {
      id,
      name,
      attempt,
      tx: this.#tx,
      signal: this.#control.signal,
      progress: (value) => {
        if (this.#isEnding) return
        this.progress = jsonText(value, `The progress of the task '${name}'`)
        this.#parts.onProgress(this)
      },
    }
  }

  async #succeeded(value: unknown): Promise<void> {
    const { settings } = this.#parts
    const ending = this.#ending({
      state: 'done',
      result: jsonText(value, `The result of the task '${this.claimed.name}'`),
      keepMs: this.#definition.keepMs ?? settings.keepMs,
    })
    if (this.#tx.used) await this.#commit(ending)
    else this.#write(ending, 'done')
  }

  /** Effect and completion in one transaction: both, or neither. */
  async #commit(ending: Ending): Promise<void> {
    const { store } = this.#parts
    let accepted: Accepted | undefined
    await this.#tx.commit(async (tx) => {
      ;[accepted] = await store.end([ending], tx)
      if (accepted === undefined)
        throw new TaskError('TASK_FENCED', 'The attempt was over before it was done: somebody else has the task.')
    })
    if (accepted !== undefined) this.#accepted(accepted, 'done', ending)
  }

  async #failed(error: unknown): Promise<void> {
    const reason: unknown = this.#control.signal.aborted ? this.#control.signal.reason : error
    await this.#tx.rollback(error instanceof Error ? error : new Error(errorText(error)))
    if (error instanceof TaskError && error.code === 'TASK_FENCED') return this.#ended('fenced', undefined)
    const code = reason instanceof TaskError ? reason.code : undefined
    if (code === 'TASK_STOPPED')
      return this.#write(this.#ending({ state: 'ready', delayMs: 0, givenBack: true }), 'givenBack')
    if (code === 'TASK_CANCELLED')
      return this.#write(this.#ending({ state: 'cancelled', keepMs: this.#parts.settings.keepMs }), 'cancelled')
    this.#writeFailure(reason === error ? error : reason, error)
  }

  #writeFailure(reason: unknown, error: unknown): void {
    const { attempt, maxAttempts } = this.claimed
    const { retry = {} } = this.#definition
    const { settings } = this.#parts
    const text = errorText(reason)
    const unknown = error instanceof DatabaseError && error.executed === 'maybe'
    if (attempt >= maxAttempts || !isWorthIt(retry.when, reason))
      return this.#write(this.#ending({ state: 'dead', error: text, keepMs: settings.keepDeadMs }), 'dead', unknown)
    const delayMs = retryDelayMs(attempt, retry, settings.random)
    this.#write(this.#ending({ state: delayMs > 0 ? 'scheduled' : 'ready', error: text, delayMs }), 'failed', unknown)
  }

  #ending(part: Pick<Ending, 'state'> & Partial<Ending>): Ending {
    const { id, token, attempt } = this.claimed
    return { id, token, attempt, result: null, error: null, delayMs: null, keepMs: null, givenBack: false, ...part }
  }

  /** Not awaited by whoever waits for the slot. `unknown`: a COMMIT may have gone through, and then this one is refused rightly. */
  #write(ending: Ending, outcome: AttemptOutcome, unknown = false): void {
    const { endings, store } = this.#parts
    const written = async (): Promise<void> => {
      const accepted = await endings.add(ending)
      if (accepted !== undefined) return this.#accepted(accepted, outcome, ending)
      const [over] = unknown ? await store.over([ending]) : []
      if (over?.state === 'done') this.#accepted(over, 'done', { ...ending, error: null, delayMs: null })
      else this.#ended('fenced', ending.error ?? undefined)
    }
    written().catch((error: unknown) => {
      const { id, name } = this.claimed
      const message = `Task ${id} (${name}): how attempt ${ending.attempt} ended could not be written down: ${errorText(error)}`
      channels.notice.publish({ source: 'tasks', level: 'error', message })
      this.#outcome.resolve('fenced')
    })
  }

  #accepted(accepted: Accepted, wanted: AttemptOutcome, { error, delayMs }: Ending): void {
    const outcome = accepted.state === 'cancelled' ? 'cancelled' : wanted
    this.#ended(outcome, error ?? undefined)
    this.#parts.onEnded(accepted, outcome === 'cancelled' ? undefined : (delayMs ?? undefined))
    if (outcome === 'done') for (const hook of this.#tx.hooks) runHook(hook)
  }

  #ended(outcome: AttemptOutcome, error: string | undefined): void {
    const { stats, settings } = this.#parts
    const { id, name, attempt, via } = this.claimed
    stats[outcome] += 1
    this.#outcome.resolve(outcome)
    if (channels.taskEnded.hasSubscribers)
      channels.taskEnded.publish({
        queue: settings.queue,
        id,
        name,
        attempt,
        via,
        outcome,
        error,
        worker: settings.instance,
      })
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#parts.settings.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }
}

/** A task that was claimed and shall not be begun. */
export function giveBack({ id, token, attempt }: Claimed, { endings, stats }: AttemptParts): void {
  const ending = { id, token, attempt, result: null, error: null, delayMs: 0, keepMs: null, givenBack: true }
  endings.add({ ...ending, state: 'ready' }).then(
    () => {
      stats.givenBack += 1
    },
    () => 'the lease runs out instead',
  )
}

function isWorthIt(when: ((error: unknown) => boolean) | undefined, error: unknown): boolean {
  if (when === undefined) return true
  try {
    return when(error)
  } catch {
    // A broken judge must not kill a task.
    return true
  }
}

function runHook(hook: () => void): void {
  try {
    hook()
  } catch (error) {
    channels.notice.publish({
      source: 'tasks',
      level: 'error',
      message: `What should run after a task failed: ${errorText(error)}`,
    })
  }
}
