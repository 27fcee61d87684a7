/**
 * The orders in the database. Whoever works on an order holds a lease on it: a token, the number of the attempt and
 * an end by the database's clock. Only the holder can finish the order, however late he comes.
 */
import type { Database, Dialect, Migration, Queryable } from 'evenkeel/database'
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
        lease_token TEXT,
        lease_until ${time},
        not_before ${time} NOT NULL,
        created_at ${time} NOT NULL,
        completed_at ${time}
      );
      CREATE INDEX orders_by_status ON orders (status, id);
      CREATE TABLE order_attempts (
        order_id TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        instance TEXT NOT NULL,
        ended_at ${time} NOT NULL
      );
      CREATE INDEX order_attempts_by_order ON order_attempts (order_id)`,
  },
]

const COLUMNS =
  'id, status, user_id, energy_amount, duration, receive_address, attempt, error, created_at, completed_at'

/** An order somebody works on. */
export interface Lease {
  readonly order: Order
  readonly token: string
}

export interface OrdersOptions {
  readonly database: Database
  /** Names this process in the history of attempts. */
  readonly instance: string
  readonly leaseMs: number
  readonly maxAttempts: number
  /** Nobody waits for the database longer than this. */
  readonly deadlineMs: number
}

export interface ListOptions {
  readonly limit: number
  /** Id of the last order seen. */
  readonly cursor: string | undefined
  readonly status: OrderStatus | undefined
}

/** Whether the end of an attempt was accepted; `fenced`: somebody else holds the order by now. */
export type Verdict = 'accepted' | 'fenced'

export class Orders {
  readonly #options: OrdersOptions
  readonly #database: Database
  readonly #dialect: Dialect

  constructor(options: OrdersOptions) {
    this.#options = options
    this.#database = options.database
    this.#dialect = options.database.dialect
    this.#database.migrate('orders', migrations)
  }

  /** Stores a new order; once this resolves it will be processed, whatever happens. */
  async create(id: string, request: OrderRequest): Promise<Order> {
    const { now } = this.#dialect
    const { user_id, energy_amount, duration, receive_address } = request
    const { rows } = await this.#database.query<Order>(
      `INSERT INTO orders (id, user_id, energy_amount, duration, receive_address, status, attempt, not_before, created_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', 0, ${now}, ${now}) RETURNING ${COLUMNS}`,
      [id, user_id, energy_amount, duration, receive_address],
      this.#callOptions,
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

  /** Takes up to `count` pending orders for `leaseMs`, the oldest first. Several processes never get the same one. */
  async claim(token: string, count: number): Promise<Lease[]> {
    const dialect = this.#dialect
    const { rows } = await this.#database.query<Order>(
      `WITH picked AS MATERIALIZED (
         SELECT id FROM orders WHERE status = 'pending' AND not_before <= ${dialect.now} ORDER BY id LIMIT $1 ${dialect.forUpdateSkipLocked}
       )
       UPDATE orders
       SET status = 'processing', attempt = attempt + 1, lease_token = $2, lease_until = ${dialect.plusMs(dialect.now, '$3')}
       WHERE id IN (SELECT id FROM picked) RETURNING ${COLUMNS}`,
      [count, token, this.#options.leaseMs],
      this.#callOptions,
    )
    return rows.map((order) => ({ order, token }))
  }

  /** The order is done. The effect, here the entry in the history, is stored with it or not at all. */
  complete(lease: Lease): Promise<Verdict> {
    const set = `status = 'completed', error = NULL, completed_at = ${this.#dialect.now}`
    return this.#finish(lease, 'completed', { set, parameters: [] })
  }

  /** The attempt failed: another one later, unless it was the last. */
  fail(lease: Lease, error: string): Promise<Verdict> {
    const dialect = this.#dialect
    const retryMs = Math.min(60_000, 1000 * 2 ** lease.order.attempt)
    const set = `status = CASE WHEN attempt >= $4 THEN 'failed' ELSE 'pending' END, error = $5, not_before = ${dialect.plusMs(dialect.now, '$6')}`
    return this.#finish(lease, 'failed', { set, parameters: [this.#options.maxAttempts, error, retryMs] })
  }

  /** Gives an order back untouched, so that nobody has to wait for the end of the lease. */
  release(lease: Lease): Promise<Verdict> {
    return this.#finish(lease, 'released', { set: `status = 'pending', attempt = attempt - 1`, parameters: [] })
  }

  /** Frees the orders whose holder let his lease run out: killed, frozen or cut off. */
  async releaseExpired(): Promise<Order[]> {
    const { now, forUpdateSkipLocked } = this.#dialect
    return await this.#database.transaction(async (tx) => {
      const { rows } = await tx.query<Order>(
        `WITH expired AS MATERIALIZED (
           SELECT id FROM orders WHERE status = 'processing' AND lease_until < ${now} LIMIT 100 ${forUpdateSkipLocked}
         )
         UPDATE orders
         SET status = CASE WHEN attempt >= $1 THEN 'failed' ELSE 'pending' END,
             error = 'The lease ran out.', lease_token = NULL, lease_until = NULL
         WHERE id IN (SELECT id FROM expired) RETURNING ${COLUMNS}`,
        [this.#options.maxAttempts],
      )
      for (const { id, attempt } of rows) await this.#record(tx, { id, attempt, outcome: 'expired' })
      return rows
    }, this.#callOptions)
  }

  /** Ends an attempt, if it is still ours to end: the fence that makes a late end harmless. */
  async #finish(
    { order, token }: Lease,
    outcome: string,
    { set, parameters }: { readonly set: string; readonly parameters: readonly (string | number)[] },
  ): Promise<Verdict> {
    return await this.#database.transaction(async (tx) => {
      const { rowCount } = await tx.query(
        `UPDATE orders SET ${set}, lease_token = NULL, lease_until = NULL
         WHERE id = $1 AND lease_token = $2 AND attempt = $3 AND status = 'processing'`,
        [order.id, token, order.attempt, ...parameters],
      )
      if (rowCount === 0) return 'fenced'
      await this.#record(tx, { id: order.id, attempt: order.attempt, outcome })
      return 'accepted'
    }, this.#callOptions)
  }

  async #record(
    tx: Queryable,
    entry: { readonly id: string; readonly attempt: number; readonly outcome: string },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO order_attempts (order_id, attempt, outcome, instance, ended_at) VALUES ($1, $2, $3, $4, ${this.#dialect.now})`,
      [entry.id, entry.attempt, entry.outcome, this.#options.instance],
    )
  }

  get #callOptions(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#options.deadlineMs }
  }
}
