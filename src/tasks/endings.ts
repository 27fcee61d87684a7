/**
 * Writes down how attempts ended. What cannot be written while the database is away is kept and tried again: the fence
 * decides whether it still counts.
 */
import type { Clock, Random } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import { Batch } from './batch.ts'
import type { Accepted, Ending } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'

const AT_MOST = 200
const RETRY_MS = 250

export interface EndingsOptions {
  readonly store: Pick<TaskStore, 'end' | 'over'>
  readonly clock: Clock
  readonly random: Random
  /** Writes at the same time. */
  readonly atOnce: number
}

export class Endings {
  readonly #options: EndingsOptions
  readonly #batch: Batch<Ending, Accepted | undefined>
  /** Ends that are not written yet. */
  #pending = 0
  #givenUp = false
  /** Ends the pauses between two tries. */
  readonly #pauses = new Set<() => void>()
  #onIdle: (() => void) | undefined

  constructor(options: EndingsOptions) {
    this.#options = options
    this.#batch = new Batch({
      clock: options.clock,
      atMost: AT_MOST,
      atOnce: options.atOnce,
      weightOf: ({ result }) => result?.length ?? 0,
      write: (endings) => this.#write(endings),
    })
  }

  get pending(): number {
    return this.#pending
  }

  /** Undefined: it was too late, the task is somebody else's. */
  async add(ending: Ending): Promise<Accepted | undefined> {
    this.#pending += 1
    try {
      return await this.#batch.add(ending)
    } finally {
      this.#pending -= 1
      if (this.#pending === 0) this.#onIdle?.()
    }
  }

  /** Resolves when everything is written, or `giveUp()` was called. */
  async idle(): Promise<void> {
    if (this.#pending === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** What is not written now never will be: the leases run out, and others take over. */
  giveUp(): void {
    this.#givenUp = true
    for (const end of [...this.#pauses]) end()
  }

  async #write(endings: readonly Ending[]): Promise<readonly (Accepted | undefined)[]> {
    let inDoubt = false
    for (;;) {
      try {
        const accepted = await this.#options.store.end(endings)
        return inDoubt ? await this.#withLost(endings, accepted) : inOrder(endings, accepted)
      } catch (error) {
        if (isLasting(error)) return await this.#alone(endings, error)
        if (this.#givenUp || isClosed(error)) throw error
        inDoubt ||= error instanceof DatabaseError && error.executed === 'maybe'
        await this.#pause()
      }
    }
  }

  /** An earlier try may have gone through and its answer been lost: then this one was refused, and the attempt is over all the same. */
  async #withLost(
    endings: readonly Ending[],
    accepted: readonly Accepted[],
  ): Promise<readonly (Accepted | undefined)[]> {
    const refused = endings.filter((ending) => !accepted.some(({ id }) => id === ending.id))
    const over = refused.length === 0 ? [] : await this.#options.store.over(refused)
    const ours = over.filter(({ id, state }) => refused.some((ending) => ending.id === id && ending.state === state))
    return inOrder(endings, [...accepted, ...ours])
  }

  /** One of them cannot be stored: it must not take the others with it. */
  async #alone(endings: readonly Ending[], error: unknown): Promise<readonly (Accepted | undefined)[]> {
    if (endings.length > 1) return (await Promise.all(endings.map((ending) => this.#write([ending])))).flat()
    const [ending] = endings
    if (ending === undefined || ending.result === null) throw error
    const text = error instanceof Error ? error.message : String(error)
    return await this.#write([
      { ...ending, state: 'dead', result: null, error: `The result could not be stored: ${text}` },
    ])
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#options
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pauses.delete(end)
        clock.clearTimer(timer)
        resolve()
      }
      const timer = clock.setTimer(end, RETRY_MS * (0.5 + random()))
      this.#pauses.add(end)
    })
  }
}

function inOrder(endings: readonly Ending[], accepted: readonly Accepted[]): (Accepted | undefined)[] {
  const byId = new Map(accepted.map((entry) => [entry.id, entry]))
  return endings.map(({ id }) => byId.get(id))
}

/** The statement itself is refused; asking again changes nothing. */
function isLasting(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true
  return ['DATABASE_STATEMENT', 'DATABASE_CONSTRAINT'].includes(error.code)
}

function isClosed(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'DATABASE_CLOSED'
}
