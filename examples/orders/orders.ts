/**
 * The orders in the database, and the history of the attempts at them. Who may work on an order, how often and until when is
 * the task's affair; here stands what comes of it.
 */
import type { Database, Migration, Queryable } from 'evenkeel/database'
import type { Order, OrderRequest, OrderStatus } from './order.ts'

const time = 'TIMESTAMPTZ'

const migrations: readonly Migration[] = [
  {
    id: '001-orders',
    sql: `
      CREATE TABLE orders (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        energy_amount BIGINT NOT NULL,
        duration TEXT NOT NULL,
        receive_address TEXT NOT NULL,
        status TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        error TEXT,
        created_at ${time} NOT NULL,
        completed_at ${time}
      );
      CREATE INDEX orders_by_status ON orders (status, id);
      CREATE TABLE order_attempts (
        order_id TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        instance TEXT NOT NULL,
        at ${time} NOT NULL,
        PRIMARY KEY (order_id, attempt)
      )`,
  },
]

const COLUMNS =
  'id, status, user_id, energy_amount, duration, receive_address, attempt, error, created_at, completed_at'

export interface OrdersOptions {
  readonly database: Database
  /** Names this process in the history of attempts. */
  readonly instance: string
  /** Nobody waits for the database longer than this. */
  readonly deadlineMs: number
}

export interface ListOptions {
  readonly limit: number
  /** Id of the last order seen. */
  readonly cursor: string | undefined
  readonly status: OrderStatus | undefined
}

/** How an attempt ended without success. */
export interface Failure {
  readonly attempt: number
  readonly error: string
  readonly status: 'pending' | 'failed'
}

export class Orders {
  readonly #options: OrdersOptions
  readonly #database: Database

  constructor(options: OrdersOptions) {
    this.#options = options
    this.#database = options.database
    this.#database.migrate('orders', migrations)
  }

  /** Stores a new order in the caller's transaction. */
  async create(tx: Queryable, id: string, request: OrderRequest): Promise<Order> {
    const { now } = tx.dialect
    const { user_id, energy_amount, duration, receive_address } = request
    const { rows } = await tx.query<Order>(
      `INSERT INTO orders (id, user_id, energy_amount, duration, receive_address, status, attempt, created_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', 0, ${now}) RETURNING ${COLUMNS}`,
      [id, user_id, energy_amount, duration, receive_address],
    )
    const [order] = rows
    if (order === undefined) throw new Error('INSERT … RETURNING returned no row')
    return order
  }

  async get(id: string): Promise<Order | undefined> {
    const sql = `SELECT ${COLUMNS} FROM orders WHERE id = $1`
    const { rows } = await this.#database.query<Order>(sql, [id], this.#callOptions)
    return rows[0]
  }

  /** The newest first. */
  async list({ limit, cursor, status }: ListOptions): Promise<Order[]> {
    const parameters: (string | number)[] = [limit]
    const conditions: string[] = []
    if (cursor !== undefined) conditions.push(`id < $${parameters.push(cursor)}`)
    if (status !== undefined) conditions.push(`status = $${parameters.push(status)}`)
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const sql = `SELECT ${COLUMNS} FROM orders ${where} ORDER BY id DESC LIMIT $1`
    return (await this.#database.query<Order>(sql, parameters, this.#callOptions)).rows
  }

  /**
   * An attempt begins; undefined when the order is completed. Attempts are not compared: after a redrive their numbers begin
   * anew, and one that comes late cannot end the task that it works for.
   */
  async begin(id: string, attempt: number): Promise<Order | undefined> {
    return await this.#database.transaction(async (tx) => {
      const { rows } = await tx.query<Order>(
        `UPDATE orders SET status = 'processing', attempt = $2
         WHERE id = $1 AND status <> 'completed' RETURNING ${COLUMNS}`,
        [id, attempt],
      )
      const [order] = rows
      if (order !== undefined) await this.#record(tx, id, { attempt, outcome: 'begun' })
      return order
    }, this.#callOptions)
  }

  /** The order is done. `tx` is the task's: it commits together with the task's own end, or not at all. */
  async complete(tx: Queryable, id: string, attempt: number): Promise<void> {
    await tx.query(
      `UPDATE orders SET status = 'completed', error = NULL, completed_at = ${tx.dialect.now} WHERE id = $1`,
      [id],
    )
    await this.#record(tx, id, { attempt, outcome: 'completed' })
  }

  /** The attempt failed; unless another one has begun since, that is what the order says now: true. */
  async fail(id: string, { attempt, error, status }: Failure): Promise<boolean> {
    return await this.#database.transaction(async (tx) => {
      const { rowCount } = await tx.query(
        `UPDATE orders SET status = $3, error = $4 WHERE id = $1 AND attempt = $2 AND status = 'processing'`,
        [id, attempt, status, error],
      )
      if (rowCount > 0) await this.#record(tx, id, { attempt, outcome: 'failed' })
      return rowCount > 0
    }, this.#callOptions)
  }

  /** Nobody will try these again by himself; returns those that had not ended. */
  async abandon(ids: readonly string[], error: string): Promise<Order[]> {
    const { dialect } = this.#database
    const { rows } = await this.#database.query<Order>(
      `UPDATE orders SET status = 'failed', error = COALESCE(error, $2)
       WHERE ${dialect.oneOf('id', '$1')} AND status IN ('pending', 'processing') RETURNING ${COLUMNS}`,
      [ids, error],
      this.#callOptions,
    )
    return rows
  }

  /** An attempt that is given back and begun again keeps its number. */
  async #record(
    tx: Queryable,
    id: string,
    { attempt, outcome }: { readonly attempt: number; readonly outcome: 'begun' | 'completed' | 'failed' },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO order_attempts (order_id, attempt, outcome, instance, at) VALUES ($1, $2, $3, $4, ${tx.dialect.now})
       ON CONFLICT (order_id, attempt) DO UPDATE SET outcome = excluded.outcome, instance = excluded.instance, at = excluded.at`,
      [id, attempt, outcome, this.#options.instance],
    )
  }

  get #callOptions(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#options.deadlineMs }
  }
}
