/**
 * The one error family: everything that Evenkeel throws on purpose is an `EvenkeelError` with a stable `code`.
 */

/** Did the server run the command? `no`: surely not. `maybe`: it may have run, or may still run. */
export type Executed = 'no' | 'maybe'

/** Why something does not work: a stable code, the true cause in plain words, and what to do about it. */
export interface Reason {
  /** Stable code out of the fault table, such as `refused` or `wrong-password`. */
  readonly code: string
  /** The true cause in plain words, aggregate errors flattened, secrets left out. */
  readonly text: string
  /** What an operator does next. */
  readonly nextStep: string
}

export interface EvenkeelErrorOptions {
  readonly cause?: unknown
  /** May the same call be tried again with a chance of success? @default false */
  readonly retryable?: boolean
  /** What the reader can do about it. */
  readonly nextStep?: string
}

/** The base of every error of this package: `code` is stable, `message` is for people. */
export class EvenkeelError extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly nextStep: string | undefined

  constructor(code: string, message: string, options: EvenkeelErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
    this.nextStep = options.nextStep
  }
}

/** An option or environment variable has a value that cannot work. Thrown when the value is read, never later. */
export class OptionError extends EvenkeelError {
  /** Name of the option as the user wrote it, such as `redis.url` or `REDIS_PORT`. */
  readonly option: string

  constructor(option: string, message: string, options: EvenkeelErrorOptions = {}) {
    super('OPTION_INVALID', message, options)
    this.option = option
  }
}

/**
 * - `LINK_UNAVAILABLE` the link does not take this call now; nothing was sent
 * - `LINK_DEADLINE` no answer within the call's deadline
 * - `LINK_LOST` the connection ended while the call was in flight
 * - `LINK_BUSY` more calls or bytes in flight than the link admits; nothing was sent
 * - `LINK_CLOSED` the link was closed; nothing was sent
 * - `LINK_LATE` the fence refused the command because its deadline had passed; it has not run
 * - `LINK_ARGUMENT` the call itself is wrong; nothing was sent
 * - `REDIS_REPLY` the server answered with an error
 */
export type LinkErrorCode =
  | 'LINK_UNAVAILABLE'
  | 'LINK_DEADLINE'
  | 'LINK_LOST'
  | 'LINK_BUSY'
  | 'LINK_CLOSED'
  | 'LINK_LATE'
  | 'LINK_ARGUMENT'
  | 'REDIS_REPLY'

export interface LinkErrorOptions extends EvenkeelErrorOptions {
  readonly executed: Executed
  readonly reason?: Reason | undefined
  readonly stalledMs?: number
}

/** A call over the link failed. `executed` says whether the server may have run it. */
export class LinkError extends EvenkeelError {
  declare readonly code: LinkErrorCode
  readonly executed: Executed
  /** Why, as far as it is known when the call fails. */
  readonly reason: Reason | undefined
  /** The deadline passed while this process stood still, and for so long; says nothing about Redis then. 0: it did not. */
  readonly stalledMs: number

  constructor(code: LinkErrorCode, message: string, options: LinkErrorOptions) {
    super(code, message, { nextStep: options.reason?.nextStep, ...options } as EvenkeelErrorOptions)
    this.executed = options.executed
    this.reason = options.reason
    this.stalledMs = options.stalledMs ?? 0
  }
}

/** The server answered with an error; `prefix` is its first word, such as `WRONGTYPE` or `OOM`. */
export class ReplyError extends LinkError {
  readonly prefix: string

  constructor(text: string, options: LinkErrorOptions) {
    super('REDIS_REPLY', text, options)
    this.prefix = text.split(' ', 1)[0] ?? ''
  }
}

/**
 * - `DATABASE_UNAVAILABLE` not reachable now, or no connection came free in time; nothing was run
 * - `DATABASE_DEADLINE` no answer within the deadline
 * - `DATABASE_LOST` the connection ended while a statement or a COMMIT was in flight
 * - `DATABASE_CONFLICT` serialisation failure, deadlock or lock timeout: the transaction did nothing
 * - `DATABASE_CONSTRAINT` unique, foreign key, check or not-null violated
 * - `DATABASE_STATEMENT` the statement itself is wrong, or not permitted
 * - `DATABASE_FULL` no space left, or over a quota
 * - `DATABASE_MIGRATION` the schema could not be brought to the version this code needs
 * - `DATABASE_CLOSED` it was closed
 */
export type DatabaseErrorCode =
  | 'DATABASE_UNAVAILABLE'
  | 'DATABASE_DEADLINE'
  | 'DATABASE_LOST'
  | 'DATABASE_CONFLICT'
  | 'DATABASE_CONSTRAINT'
  | 'DATABASE_STATEMENT'
  | 'DATABASE_FULL'
  | 'DATABASE_MIGRATION'
  | 'DATABASE_CLOSED'

export interface DatabaseErrorOptions extends EvenkeelErrorOptions {
  readonly executed: Executed
  readonly reason?: Reason | undefined
}

/** A call on the durable side failed. `executed` is about the whole transaction: `maybe` when the fate of a COMMIT is unknown. */
export class DatabaseError extends EvenkeelError {
  declare readonly code: DatabaseErrorCode
  readonly executed: Executed
  readonly reason: Reason | undefined

  constructor(code: DatabaseErrorCode, message: string, options: DatabaseErrorOptions) {
    super(code, message, { nextStep: options.reason?.nextStep, ...options } as EvenkeelErrorOptions)
    this.executed = options.executed
    this.reason = options.reason
  }
}

/**
 * - `TASK_UNKNOWN` no definition has that name
 * - `TASK_PAYLOAD` the payload was refused by the definition
 * - `TASK_JSON` payload, result or progress cannot be written as JSON
 * - `TASK_ARGUMENT` the call itself is wrong; nothing was stored
 * - `TASK_CLOSED` the tasks were closed
 * - `TASK_TIMEOUT` the attempt took longer than its definition allows
 * - `TASK_LEASE_LOST` the attempt is no longer this process's: another one may be under way
 * - `TASK_CANCELLED` the task was cancelled
 * - `TASK_STOPPED` the process stops; the attempt does not count
 * - `TASK_FENCED` the attempt's transaction was rolled back, because the attempt was over
 */
export type TaskErrorCode =
  | 'TASK_UNKNOWN'
  | 'TASK_PAYLOAD'
  | 'TASK_JSON'
  | 'TASK_ARGUMENT'
  | 'TASK_CLOSED'
  | 'TASK_TIMEOUT'
  | 'TASK_LEASE_LOST'
  | 'TASK_CANCELLED'
  | 'TASK_STOPPED'
  | 'TASK_FENCED'

/** A task could not be started, or an attempt had to end. */
export class TaskError extends EvenkeelError {
  declare readonly code: TaskErrorCode

  constructor(code: TaskErrorCode, message: string, options: EvenkeelErrorOptions = {}) {
    super(code, message, options)
  }
}

/**
 * - `CACHE_BUSY` too many loads run while Redis is away, and there is no copy to answer with
 * - `CACHE_CLOSED` the cache was closed
 * - `CACHE_ARGUMENT` the call itself is wrong
 */
export type CacheErrorCode = 'CACHE_BUSY' | 'CACHE_CLOSED' | 'CACHE_ARGUMENT'

/** A call on a cache failed by the cache's own doing; what a load throws is passed on as it is. */
export class CacheError extends EvenkeelError {
  declare readonly code: CacheErrorCode

  constructor(code: CacheErrorCode, message: string, options: EvenkeelErrorOptions = {}) {
    super(code, message, options)
  }
}

/**
 * - `EVENT_TOPIC` no definition has that topic
 * - `EVENT_PAYLOAD` the payload was refused, is too large, or cannot be written as JSON
 * - `EVENT_CLOSED` the events were closed
 */
export type EventErrorCode = 'EVENT_TOPIC' | 'EVENT_PAYLOAD' | 'EVENT_CLOSED'

/** An event could not be published, or a subscription could not be made, by the caller's own doing; never because of Redis. */
export class EventError extends EvenkeelError {
  declare readonly code: EventErrorCode

  constructor(code: EventErrorCode, message: string, options: EvenkeelErrorOptions = {}) {
    super(code, message, options)
  }
}
