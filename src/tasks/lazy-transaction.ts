/**
 * The transaction of an attempt: begun by its first query, ended together with the attempt.
 *
 *     tx.query ─▶ BEGIN ─▶ … ─▶ commit(last): last statement ─▶ COMMIT
 *                             └▶ rollback()
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database, Dialect, Parameter, Queryable, QueryResult, Transaction } from '../database/index.ts'
import { TaskError } from '../errors.ts'
import type { TaskTransaction } from './definitions.ts'

type Last = (tx: Transaction) => Promise<void>

export interface LazyTransactionOptions {
  readonly database: Database
  /** How long it may take from its first query on. */
  readonly deadlineMs: () => number
}

/** The transaction of the attempt whose function called, by however many steps. */
const own = new AsyncLocalStorage<LazyTransaction>()

/** Is this asked inside of a transaction of the database, be it that of a task's function? */
export function isInside(database: Database): boolean {
  return database.inTransaction || own.getStore()?.holds(database) === true
}

export class LazyTransaction implements TaskTransaction {
  readonly dialect: Dialect
  readonly #options: LazyTransactionOptions
  readonly #hooks: (() => void)[] = []
  readonly #last = Promise.withResolvers<Last>()
  #begun: Promise<Transaction> | undefined
  #whole: Promise<void> | undefined
  #over = false

  constructor(options: LazyTransactionOptions) {
    this.#options = options
    this.dialect = options.database.dialect
    // It is rejected by rollback(), and nobody listens when nothing was begun.
    this.#last.promise.catch(() => undefined)
  }

  /** Was anything asked of it? */
  get used(): boolean {
    return this.#begun !== undefined
  }

  get hooks(): readonly (() => void)[] {
    return this.#hooks
  }

  async query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly Parameter[] = [],
  ): Promise<QueryResult<Row>> {
    if (this.#over) throw overError()
    this.#begun ??= this.#begin()
    const tx = await this.#begun
    return await tx.query<Row>(sql, params)
  }

  afterCommit(run: () => void): void {
    if (this.#over) throw overError()
    this.#hooks.push(run)
  }

  /** Calls the function whose transaction this is. */
  call<T>(run: () => T): T {
    return own.run(this, run)
  }

  /** Is it open, and its function not over? */
  holds(database: Database): boolean {
    return this.used && !this.#over && database === this.#options.database
  }

  /** Runs the last statement and commits; rejects with what kept it from that. */
  async commit(last: (tx: Queryable) => Promise<void>): Promise<void> {
    this.#over = true
    this.#last.resolve(last)
    await this.#whole
  }

  /** Resolves when it is undone, or the connection is ended. */
  async rollback(because: Error): Promise<void> {
    this.#over = true
    this.#last.reject(because)
    // It rejects with what it was undone for.
    await Promise.allSettled([this.#whole])
  }

  #begin(): Promise<Transaction> {
    const begun = Promise.withResolvers<Transaction>()
    const { database, deadlineMs } = this.#options
    this.#whole = database.transaction(
      async (tx) => {
        begun.resolve(tx)
        const last = await this.#last.promise
        await last(tx)
      },
      { deadlineMs: deadlineMs() },
    )
    this.#whole.catch(begun.reject)
    // Whoever asked hears of it by his own query.
    begun.promise.catch(() => undefined)
    return begun.promise
  }
}

function overError(): TaskError {
  return new TaskError('TASK_ARGUMENT', 'This attempt is over; its tx cannot be used any more.', {
    nextStep: 'Await every use of tx inside the function of the task.',
  })
}
