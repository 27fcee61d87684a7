/**
 * A bounded number of connections for a bounded number of callers.
 *
 *     acquire ─▶ an idle one (asked first, when it was idle for long) ─▶ or a turn in the queue
 *                                                                          ├─ one comes back: handed over
 *     release ─▶ the longest waiter ─▶ or idle                             └─ one is opened beside the queue
 *
 * Opening belongs to the pool and not to the caller: a caller in a hurry does not throw away a connection half open.
 */
import type { Clock, Random, TimerHandle } from '../../clock.ts'
import type { DatabaseError } from '../../errors.ts'
import { classify, faultError, ownFault } from '../classify.ts'
import type { Fault } from '../classify.ts'
import { withDeadline } from '../deadline.ts'
import type { Deadline } from '../deadline.ts'
import type { EngineEvents } from '../engine.ts'
import type { PoolOptions } from '../options.ts'
import type { PostgresConnection } from './connection.ts'

/** A connection that was idle for long must answer within this. */
const PING_MS = 500
/** After a connection could not be opened beside others that work, none is tried for so long. */
const OPENING_PAUSE_MS = 250

export interface ConnectionPoolOptions {
  readonly settings: Required<PoolOptions>
  readonly clock: Clock
  readonly random: Random
  readonly place: string
  readonly events: EngineEvents
  readonly connectTimeoutMs: number
  readonly open: (deadline: Deadline, expiresAt: number) => Promise<PostgresConnection>
}

interface Waiter {
  readonly take: (connection: PostgresConnection) => void
  readonly fail: (error: DatabaseError) => void
}

export class ConnectionPool {
  readonly #options: ConnectionPoolOptions
  readonly #clock: Clock
  readonly #all = new Set<PostgresConnection>()
  /** The one used last is at the end and is used next: the others grow old and are closed. */
  #idle: PostgresConnection[] = []
  readonly #waiting = new Set<Waiter>()
  /** In use since before an outage: they make room for new ones, and end when they come back. */
  readonly #suspects = new Set<PostgresConnection>()
  /** One for each connection that is being opened for waiters. */
  readonly #openings = new Set<Deadline>()
  readonly #pings = new Set<Deadline>()
  /** No connection is opened for waiters until it rings. */
  #openingPause: TimerHandle | undefined
  #lastFailure: Fault | undefined
  #reaper: TimerHandle | undefined
  #closed = false

  constructor(options: ConnectionPoolOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  async acquire(deadline: Deadline): Promise<PostgresConnection> {
    while (!deadline.missed) {
      const idle = this.#takeIdle()
      if (idle === undefined) break
      if (await this.#stillGood(idle, deadline)) return idle
    }
    return this.#inTurn(deadline)
  }

  /** Takes a connection back; a used-up one is replaced when somebody needs it. */
  release(connection: PostgresConnection): void {
    connection.usedAt = this.#clock.now()
    connection.heardAt = connection.usedAt
    if (connection.suspect || !connection.usable) this.#discard(connection)
    else if (connection.expiresAt <= this.#clock.now()) this.#retire(connection)
    else this.#handOver(connection)
  }

  /** Asks the server over an idle connection, else over a new one, which then belongs to the pool if there is room. */
  async probe(deadline: Deadline): Promise<void> {
    const idle = this.#takeIdle()
    if (idle !== undefined && (await this.#answers(idle, deadline))) return this.#giveBack(idle)
    const fresh = await this.#openForProbe(deadline)
    if (fresh === undefined) return
    await this.#firstAnswer(fresh, deadline)
    this.#lastFailure = undefined
    this.#endOpeningPause()
    if (this.#closed || !this.#hasRoom) fresh.retire()
    else this.#adopt(fresh)
  }

  /** The server is gone: turns waiters away, and renews all connections. */
  drain(fault: Fault): void {
    this.#refuse(fault)
    for (const limit of [...this.#openings]) limit.cut()
    this.renew()
  }

  /** Ends idle connections; those in use end when they come back, and make room for new ones until then. */
  renew(): void {
    for (const connection of this.#all) {
      connection.suspect = true
      this.#suspects.add(connection)
    }
    this.#all.clear()
    for (const connection of [...this.#idle]) this.#discard(connection)
  }

  /** Ends everything. */
  close(): void {
    this.#closed = true
    this.#endOpeningPause()
    if (this.#reaper !== undefined) this.#clock.clearTimer(this.#reaper)
    this.#refuse(ownFault('lost', { place: this.#options.place, detail: 'the database was closed' }))
    for (const limit of [...this.#openings, ...this.#pings]) limit.cut()
    const idle = new Set(this.#idle)
    for (const connection of [...this.#all, ...this.#suspects]) {
      if (idle.has(connection)) connection.retire()
      else connection.destroy()
    }
    this.#all.clear()
    this.#suspects.clear()
    this.#idle = []
  }

  get #hasRoom(): boolean {
    const { max } = this.#options.settings
    const current = this.#all.size + this.#openings.size
    return current < max && current + this.#suspects.size < 2 * max
  }

  /** Undefined when the server has no connection left and yet those that we have work: it is there. */
  async #openForProbe(deadline: Deadline): Promise<PostgresConnection | undefined> {
    try {
      return await this.#options.open(deadline, this.#expiry())
    } catch (error) {
      const { row } = classify(error, this.#options.place)
      if (row.code === 'too-many-connections' && this.#all.size > 0) return undefined
      throw error
    }
  }

  #takeIdle(): PostgresConnection | undefined {
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      if (next.usable) return next
      this.#all.delete(next)
    }
    return undefined
  }

  async #stillGood(connection: PostgresConnection, deadline: Deadline): Promise<boolean> {
    if (this.#clock.now() - connection.heardAt < this.#options.settings.validateAfterMs) return true
    return this.#answers(connection, deadline)
  }

  /** A connection that does not answer is over. */
  async #answers(connection: PostgresConnection, deadline: Deadline): Promise<boolean> {
    try {
      await this.#limited(this.#pings, Math.min(PING_MS, deadline.remainingMs), (limit) => connection.ping(limit))
      connection.heardAt = this.#clock.now()
      return true
    } catch {
      // Why was told to the supervisor by the connection itself. What has been idle for as long is no better.
      for (const idle of this.#idle.filter(({ heardAt }) => heardAt <= connection.heardAt)) this.#discard(idle)
      this.#discard(connection)
      return false
    }
  }

  /** A pooler lets clients in before it knows whether there is a server: only an answer counts. */
  async #firstAnswer(connection: PostgresConnection, deadline: Deadline): Promise<void> {
    try {
      await connection.ping(deadline)
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  async #inTurn(deadline: Deadline): Promise<PostgresConnection> {
    const { maxWaiting, acquireTimeoutMs } = this.#options.settings
    if (this.#waiting.size >= maxWaiting) throw this.#error('too-many-waiting', `${this.#waiting.size} calls wait`)
    if (deadline.missed) throw this.#error('no-connection-free', 'the deadline had passed')
    return withDeadline(this.#clock, Math.max(1, Math.min(acquireTimeoutMs, deadline.remainingMs)), (limit) =>
      this.#wait(limit),
    )
  }

  #wait(limit: Deadline): Promise<PostgresConnection> {
    let waiter: Waiter | undefined
    const turn = new Promise<PostgresConnection>((take, fail) => {
      waiter = { take, fail }
      this.#waiting.add(waiter)
    })
    this.#openForWaiters()
    return limit.guard(turn, () => {
      if (waiter !== undefined) this.#waiting.delete(waiter)
      return this.#noneFree(limit)
    })
  }

  #noneFree(limit: Deadline): DatabaseError {
    const { max } = this.#options.settings
    const detail = `${this.#all.size} of ${max} in use, ${this.#openings.size} being opened, after ${Math.round(limit.limitMs)} ms`
    return this.#lastFailure === undefined
      ? this.#error('no-connection-free', detail)
      : faultError(this.#lastFailure, 'no')
  }

  /** Opens as many as waiters are not provided for, and the limit allows. */
  #openForWaiters(): void {
    if (this.#closed || this.#openingPause !== undefined) return
    while (this.#openings.size < this.#waiting.size && this.#hasRoom) void this.#openOne()
  }

  async #openOne(): Promise<void> {
    try {
      const connection = await this.#limited(this.#openings, this.#options.connectTimeoutMs, (limit) =>
        this.#options.open(limit, this.#expiry()),
      )
      this.#lastFailure = undefined
      if (this.#closed) connection.retire()
      else this.#adopt(connection)
    } catch (error) {
      this.#couldNotOpen(classify(error, this.#options.place))
    }
  }

  #couldNotOpen(fault: Fault): void {
    this.#lastFailure = fault
    if (this.#closed) return
    this.#openingPause ??= this.#clock.setTimer(() => {
      this.#endOpeningPause()
      this.#openForWaiters()
    }, OPENING_PAUSE_MS)
    // Beside connections that work, waiters go on waiting for one of those.
    if (this.#all.size === 0) this.#refuse(fault)
    this.#options.events.failed(fault)
  }

  #endOpeningPause(): void {
    if (this.#openingPause !== undefined) this.#clock.clearTimer(this.#openingPause)
    this.#openingPause = undefined
  }

  #adopt(connection: PostgresConnection): void {
    connection.onLost = (fault) => {
      this.#discard(connection)
      this.#options.events.failed(fault)
    }
    connection.usedAt = this.#clock.now()
    connection.heardAt = connection.usedAt
    this.#all.add(connection)
    this.#handOver(connection)
  }

  #handOver(connection: PostgresConnection): void {
    const [first] = this.#waiting
    if (first !== undefined) {
      this.#waiting.delete(first)
      first.take(connection)
      return
    }
    this.#giveBack(connection)
  }

  #giveBack(connection: PostgresConnection): void {
    if (connection.suspect || !connection.usable) return this.#discard(connection)
    if (this.#waiting.size > 0) return this.#handOver(connection)
    this.#idle.push(connection)
    this.#reaper ??= this.#clock.setTimer(() => this.#reap(), this.#options.settings.idleMs)
  }

  /** Closes what nobody has used for long; one is kept, so that the server can be asked without a new connection. */
  #reap(): void {
    this.#reaper = undefined
    const { idleMs } = this.#options.settings
    const now = this.#clock.now()
    for (const connection of [...this.#idle]) {
      const unused = now - connection.usedAt >= idleMs && this.#idle.length > 1
      if (unused || connection.expiresAt <= now) this.#retire(connection)
    }
    if (this.#idle.length > 0) this.#reaper = this.#clock.setTimer(() => this.#reap(), idleMs)
  }

  #retire(connection: PostgresConnection): void {
    this.#forget(connection)
    connection.retire()
    this.#openForWaiters()
  }

  #discard(connection: PostgresConnection): void {
    this.#forget(connection)
    connection.destroy()
    this.#openForWaiters()
  }

  #forget(connection: PostgresConnection): void {
    this.#all.delete(connection)
    this.#suspects.delete(connection)
    this.#idle = this.#idle.filter((other) => other !== connection)
  }

  #refuse(fault: Fault): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of waiting) waiter.fail(faultError(fault, 'no'))
  }

  /** Spread by 10 % to both sides, so that connections opened together are not replaced together. */
  #expiry(): number {
    const spread = 0.9 + this.#options.random() * 0.2
    return this.#clock.now() + this.#options.settings.maxLifetimeMs * spread
  }

  #error(code: string, detail: string): DatabaseError {
    return faultError(ownFault(code, { place: this.#options.place, detail }), 'no')
  }

  /** Deadlines are kept in a set, so that whoever ends the work can let them pass. */
  #limited<T>(limits: Set<Deadline>, limitMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    return withDeadline(this.#clock, Math.max(1, limitMs), async (limit) => {
      limits.add(limit)
      try {
        return await work(limit)
      } finally {
        limits.delete(limit)
      }
    })
  }
}
