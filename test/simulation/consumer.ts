/** A consumer on a blocking lane: waits for elements of a list, one call after the other. */
import type { LinkError } from '../../src/errors.ts'
import type { BlockingLane, RedisLink } from '../../src/link/redis-link.ts'
import type { LinkSettings } from '../../src/link/settings.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { Invariants } from './invariants.ts'
import type { Chance } from './random.ts'

export interface ConsumerOptions {
  readonly link: RedisLink
  readonly settings: LinkSettings
  readonly clock: FakeClock
  readonly chance: Chance
  readonly invariants: Invariants
  /** Was all well long before that moment, and since? */
  readonly settledSince: (moment: number) => boolean
}

/** A call on the lane, and the pause after one that failed, take no longer. */
const LONGEST_MS = 2000 + 1000

export class Consumer {
  /** The list it waits for. */
  readonly key: string
  readonly #options: ConsumerOptions
  #lane: BlockingLane | undefined
  #stopped = false
  #waiting = false
  /** Elements that the server handed out. */
  popped = 0
  /** Calls that were told so. */
  readonly told = { LINK_DEADLINE: 0, LINK_LOST: 0 }
  #received = 0
  #doubtful = 0
  #answeredAt = -Infinity

  constructor(name: string, options: ConsumerOptions) {
    this.key = `list:${name}`
    this.#options = options
  }

  begin(): void {
    this.#lane = this.#options.link.blocking()
    this.#wait()
  }

  stop(): void {
    this.#stopped = true
  }

  /** When all has been well for a while: it is served. */
  checkServed(): void {
    const { clock, invariants, settledSince } = this.#options
    const since = clock.now() - LONGEST_MS
    if (this.#answeredAt < since && settledSince(since)) invariants.violated('A7', `${this.key} is not served`)
  }

  check(): void {
    const { invariants } = this.#options
    if (this.#waiting) invariants.violated('A2', `the call on ${this.key} was never answered`)
    const lost = this.popped - this.#received
    if (lost > this.#doubtful)
      invariants.violated(
        'A5',
        `${lost} elements of ${this.key} were lost in ${this.#doubtful} calls that said 'maybe'`,
      )
  }

  #wait(): void {
    if (this.#stopped || this.#lane === undefined) return
    const { clock, chance, settings, invariants } = this.#options
    const blockMs = chance.pick([100, 500, 1000, 2000])
    const issuedAt = clock.now()
    const answered = (): void => {
      this.#waiting = false
      // A connection may have to be opened first, which takes a read deadline at most.
      invariants.checkWait(() => `the call on ${this.key}`, issuedAt, blockMs + 2 * settings.readDeadlineMs)
    }
    this.#waiting = true
    this.#lane.send(['BLPOP', this.key, String(blockMs / 1000)], { blockMs }).then(
      (reply) => {
        answered()
        this.#answeredAt = clock.now()
        if (reply !== null) this.#received += 1
        this.#wait()
      },
      (error: LinkError) => {
        answered()
        if (error.executed === 'maybe') this.#doubtful += 1
        if (error.code === 'LINK_DEADLINE' || error.code === 'LINK_LOST') this.told[error.code] += 1
        clock.at(clock.now() + 300, () => clock.io(() => this.#wait()))
      },
    )
  }
}
