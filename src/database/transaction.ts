/**
 * One transaction from BEGIN to its end, alike for both engines:
 *
 *     begin ─▶ run(tx) ─┬─ resolves, no statement failed ─▶ COMMIT ─▶ afterCommit hooks
 *                       └─ rejects, failed, or deadline  ─▶ ROLLBACK, the connection destroyed if that takes long
 */
import type { Clock } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { Transaction } from './database.ts'
import { Deadline } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import type { Engine, QueryResult, Session } from './engine.ts'
import { checkMessage } from './notifications.ts'
import type { Notifications } from './notifications.ts'
import { checkStatement } from './statement.ts'
import { callSafely } from './user-code.ts'
import type { Parameter } from './values.ts'

/** A rollback that takes longer costs the connection. */
const ROLLBACK_MS = 1000

export interface TransactionRun {
  readonly session: Session
  readonly engine: Engine
  readonly deadline: Deadline
  readonly readOnly: boolean
  readonly clock: Clock
  /** Name of the database, for notices. */
  readonly source: string
}

/** Runs one transaction on a session and gives the session back, whatever happens. */
export async function runTransaction<T>(work: (tx: Transaction) => Promise<T>, run: TransactionRun): Promise<T> {
  const { session, deadline } = run
  const tx = new LiveTransaction(session, run.engine, deadline)
  try {
    await session.begin(run.readOnly, deadline)
    const value = await deadline.guard(started(work, tx), () => tooLate(deadline))
    await tx.finish()
    await session.commit(deadline)
    session.release()
    tx.committed(run.source)
    return value
  } catch (error) {
    tx.end()
    const undone = undo(session, run.clock)
    if (!deadline.missed) await deadline.guard(undone, () => tooLate(deadline)).catch(() => undefined)
    throw error
  }
}

async function started<T>(work: (tx: Transaction) => Promise<T>, tx: Transaction): Promise<T> {
  return work(tx)
}

/** Never rejects: the caller hears the error that led here. */
async function undo(session: Session, clock: Clock): Promise<void> {
  const deadline = new Deadline(clock, ROLLBACK_MS)
  try {
    await session.rollback(deadline)
    session.release()
  } catch {
    // A connection that cannot roll back ends, and with it the transaction.
    session.destroy()
  } finally {
    deadline.clear()
  }
}

function tooLate(deadline: Deadline): DatabaseError {
  return new DatabaseError(
    'DATABASE_DEADLINE',
    `The transaction took longer than ${deadline.limitMs} ms and was rolled back.`,
    {
      executed: 'no',
      retryable: true,
      nextStep: 'Do slow work outside the transaction, or give it a longer deadlineMs.',
    },
  )
}

class LiveTransaction implements Transaction {
  readonly dialect: Dialect
  readonly #session: Session
  readonly #notifications: Notifications
  readonly #deadline: Deadline
  readonly #abort = new AbortController()
  readonly #hooks: (() => void)[] = []
  #over = false
  #failure: Error | undefined
  /** Settles when the statement sent last has settled; never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(session: Session, engine: Engine, deadline: Deadline) {
    this.#session = session
    this.dialect = engine.dialect
    this.#notifications = engine.notifications
    this.#deadline = deadline
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly Parameter[] = [],
  ): Promise<QueryResult<Row>> {
    const answer = this.#last.then(() => this.#run<Row>(sql, params))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async notify(channel: string, payload = ''): Promise<void> {
    checkMessage(channel, payload)
    const { statement } = this.#notifications
    if (statement === undefined) this.afterCommit(() => this.#notifications.deliver(channel, payload))
    else await this.query(statement, [channel, payload])
  }

  afterCommit(run: () => void): void {
    if (this.#over) throw overError()
    this.#hooks.push(run)
  }

  /** The function has resolved: waits for statements it did not await, and refuses to commit what has failed. */
  async finish(): Promise<void> {
    await this.#last
    if (this.#failure !== undefined) throw this.#failure
    this.end()
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#abort.abort()
  }

  committed(source: string): void {
    for (const hook of this.#hooks) callSafely(source, 'What should run after a commit', hook)
  }

  async #run<Row>(sql: string, params: readonly Parameter[]): Promise<QueryResult<Row>> {
    if (this.#over) throw overError()
    if (this.#failure !== undefined) throw failedBefore(this.#failure)
    checkStatement(sql)
    try {
      const result = await this.#session.run({ sql, params }, this.#deadline)
      return result as QueryResult<Row>
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }
}

function overError(): DatabaseError {
  return new DatabaseError('DATABASE_STATEMENT', 'This transaction is over; its tx cannot be used any more.', {
    executed: 'no',
    nextStep: 'Await every use of tx inside the transaction function.',
  })
}

function failedBefore(cause: unknown): DatabaseError {
  return new DatabaseError(
    'DATABASE_STATEMENT',
    'A statement of this transaction failed before; it can only roll back.',
    {
      executed: 'no',
      cause,
      nextStep: 'Let the first error leave the transaction function, or avoid it with ON CONFLICT.',
    },
  )
}
