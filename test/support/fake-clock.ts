/**
 * Time made of events: it jumps from one to the next, and within one moment runs them in the order of Node's event loop.
 *
 *     outside the process   at()          the network, the server: happens at its moment, whatever the process does
 *     inside                setTimer()    ┐
 *                           io()          ├ in turn, ticks and microtasks after each one, none while the process is stalled
 *                           afterIo()     ┘
 *
 * Unit tests `await advance(ms)`. The simulation calls `run(until)`, which needs no event loop and is ten times faster.
 */
import { setImmediate } from 'node:timers/promises'
import type { Clock, TimerHandle } from '../../src/clock.ts'

export interface FakeClockOptions {
  /** Monotonic time at the beginning. @default 0 */
  readonly startMs?: number
  /** Wall-clock time at the beginning. @default 2026-02-08T07:49:15Z */
  readonly wallStartMs?: number
  /** How long a timer really takes that was asked to take so long. @default exactly so long */
  readonly timerMs?: (askedMs: number) => number
}

interface Entry {
  readonly at: number
  readonly order: number
  /** Undefined once it has run or was taken back. */
  run: (() => void) | undefined
}

/** More events than this in one moment are a loop without end. */
const ENDLESS = 100_000

type Phase = 'timers' | 'io' | 'immediates'

export class FakeClock implements Clock {
  readonly #wallStart: number
  readonly #timerMs: (askedMs: number) => number
  readonly #outside = new Agenda()
  readonly #timers = new Agenda()
  readonly #io = new Queue()
  readonly #immediates = new Queue()
  readonly #ticks = new Queue()
  #now: number
  #order = 0
  #pendingTimers = 0
  #stalledUntil = -Infinity
  #phase: Phase = 'timers'
  /** Immediates of this turn; those added meanwhile belong to the next. */
  #immediatesLeft = 0

  constructor({ startMs = 0, wallStartMs = Date.UTC(2026, 1, 8, 7, 49, 15), timerMs }: FakeClockOptions = {}) {
    this.#now = startMs
    this.#wallStart = wallStartMs - startMs
    this.#timerMs = timerMs ?? ((askedMs) => askedMs)
  }

  /** Timers that have neither run nor been cleared. */
  get pendingTimers(): number {
    return this.#pendingTimers
  }

  /** Callbacks that wait for their turn at this moment. */
  get pendingCallbacks(): number {
    return this.#io.size + this.#immediates.size
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return Math.floor(this.#wallStart + this.#now)
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    const timer: Entry = { at: this.#now + this.#timerMs(delayMs), order: this.#order++, run }
    this.#timers.add(timer)
    this.#pendingTimers += 1
    return timer
  }

  clearTimer(handle: TimerHandle): void {
    const timer = handle as Entry
    if (timer.run === undefined) return
    timer.run = undefined
    this.#pendingTimers -= 1
  }

  afterCallback(run: () => void): void {
    this.#ticks.push(run)
  }

  afterIo(run: () => void): void {
    this.#immediates.push(run)
  }

  /** Something outside the process happens at a moment. It may not touch the process but through `io`. */
  at(time: number, run: () => void): void {
    this.#outside.add({ at: Math.max(time, this.#now), order: this.#order++, run })
  }

  /** A socket has become readable: the process looks at it as soon as it can. */
  io(run: () => void): void {
    this.#io.push(run)
  }

  /** The process does nothing for so long, as in a garbage collection or a loop without end. */
  stall(forMs: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#now + forMs)
  }

  /** Lives through everything up to and including a moment, promises included. Only from a task of its own, see `drain`. */
  run(until: number): void {
    let moment = this.#now
    let events = 0
    this.#finish()
    for (let ran = this.#next(until); ran !== 'nothing'; ran = this.#next(until)) {
      if (ran === 'inside') this.#finish()
      events = this.#now === moment ? events + 1 : 0
      moment = this.#now
      if (events > ENDLESS) throw new Error(`Time stands still at ${moment} ms: ${ENDLESS} events in one moment`)
    }
  }

  /** The same for tests, which are async functions. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    await this.#finished()
    for (let ran = this.#next(until); ran !== 'nothing'; ran = this.#next(until))
      if (ran === 'inside') await this.#finished()
  }

  /** What Node does after each callback: ticks, then promises, until there are neither. */
  #finish(): void {
    do {
      while (this.#ticks.run());
      drain()
    } while (this.#ticks.size > 0)
  }

  async #finished(): Promise<void> {
    do {
      while (this.#ticks.run());
      await setImmediate()
    } while (this.#ticks.size > 0)
  }

  /** Runs the next thing there is, or moves the time to `until`. */
  #next(until: number): 'outside' | 'inside' | 'nothing' {
    for (;;) {
      if (this.#outside.nextAt <= this.#now) {
        this.#runFirst(this.#outside)
        return 'outside'
      }
      if (this.#now >= this.#stalledUntil && this.#runInside()) return 'inside'
      const awake = Math.max(this.#timers.nextAt, this.#stalledUntil)
      const next = Math.min(this.#outside.nextAt, this.#waiting ? this.#stalledUntil : awake)
      if (next > until) {
        this.#now = Math.max(this.#now, until)
        return 'nothing'
      }
      this.#now = Math.max(this.#now, next)
    }
  }

  get #waiting(): boolean {
    return this.#io.size + this.#immediates.size > 0
  }

  /** One callback of the process, phase by phase; false when nothing is due. */
  #runInside(): boolean {
    for (let phases = 0; phases <= 3; phases++) {
      if (this.#phase === 'timers') {
        if (this.#timers.nextAt <= this.#now) {
          this.#pendingTimers -= 1
          return this.#runFirst(this.#timers)
        }
        this.#phase = 'io'
      } else if (this.#phase === 'io') {
        if (this.#io.run()) return true
        this.#phase = 'immediates'
        this.#immediatesLeft = this.#immediates.size
      } else {
        if (this.#immediatesLeft-- > 0) return this.#immediates.run()
        this.#phase = 'timers'
      }
    }
    return false
  }

  #runFirst(agenda: Agenda): true {
    const entry = agenda.take()
    const { run } = entry
    entry.run = undefined
    run?.()
    return true
  }
}

/** First in, first out. */
class Queue {
  #items: (() => void)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(run: () => void): void {
    this.#items.push(run)
  }

  /** Runs the first; false when there is none. */
  run(): boolean {
    const run = this.#items[this.#head]
    if (run === undefined) return false
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    }
    run()
    return true
  }
}

/** Entries by time, and by order of arrival within one moment: a binary heap. */
class Agenda {
  readonly #heap: Entry[] = []

  /** Time of the first entry that has not been taken back; Infinity when there is none. */
  get nextAt(): number {
    while (this.#heap.length > 0 && this.#heap[0]?.run === undefined) this.take()
    return this.#heap[0]?.at ?? Infinity
  }

  add(entry: Entry): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  take(): Entry {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined) throw new Error('The agenda is empty')
    if (heap.length > 0) this.#sink(last)
    return first
  }

  /** Puts an entry at the top and lets it sink to its place. */
  #sink(entry: Entry): void {
    const heap = this.#heap
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const left = heap[child]
      const right = heap[child + 1]
      const smaller = right !== undefined && left !== undefined && isBefore(right, left) ? right : left
      if (smaller === undefined || isBefore(entry, smaller)) break
      heap[index] = smaller
      index = smaller === right ? child + 1 : child
    }
    heap[index] = entry
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/**
 * Runs all microtasks now. Node has no public function for it, and a turn of its event loop after each event takes ten
 * times as long (2 µs against 0.2 µs), so this is the function that Node itself calls after each callback. It does
 * nothing when called from within a microtask, which includes async functions and the top level of a module.
 */
function drain(): void {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name
  ;(process as unknown as { _tickCallback(): void })._tickCallback()
}
