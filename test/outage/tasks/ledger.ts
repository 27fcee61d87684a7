/**
 * What the database says happened: the oracle. It reads past the product, by SQL of its own over a connection of its own.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { PostgresServer } from '../../support/postgres-server.ts'
import { eventually } from '../../support/wait.ts'

export type Engine = 'postgres' | 'sqlite'

/** A task that has begun, in wall-clock milliseconds of the database. */
export interface Start {
  readonly orderId: string
  readonly via: string
  readonly attempt: number
  readonly createdAt: number
  readonly startedAt: number
}

export class Ledger {
  readonly #read: (sql: string) => Promise<Record<string, unknown>[]>
  readonly #ms: (column: string) => string

  private constructor(read: (sql: string) => Promise<Record<string, unknown>[]>, ms: (column: string) => string) {
    this.#read = read
    this.#ms = ms
  }

  static ofPostgres(server: PostgresServer): Ledger {
    return new Ledger(
      (sql) => server.sql(sql),
      (column) => `extract(epoch FROM ${column})::float8 * 1000`,
    )
  }

  /** Opened for each question: a reader that stays keeps the log of the file from being folded in. */
  static ofFile(directory: string): Ledger {
    const read = (sql: string): Promise<Record<string, unknown>[]> => {
      const database = new DatabaseSync(join(directory, 'evenkeel.db'), { readOnly: true, timeout: 5000 })
      try {
        return Promise.resolve(database.prepare(sql).all())
      } finally {
        database.close()
      }
    }
    return new Ledger(read, (column) => `(julianday(${column}) - 2440587.5) * 86400000.0`)
  }

  /** Ids of the orders that are there. */
  async orders(): Promise<Set<string>> {
    const rows = await this.#read('SELECT id FROM orders')
    return new Set(rows.map(({ id }) => String(id)))
  }

  /** How often the task of each order has had its effect. */
  async effects(): Promise<Map<string, number>> {
    const rows = await this.#read('SELECT order_id, count(*) AS n FROM effects GROUP BY order_id')
    return new Map(rows.map(({ order_id, n }) => [String(order_id), Number(n)]))
  }

  /** How many tasks are in each state. */
  async states(): Promise<Record<string, number>> {
    const rows = await this.#read('SELECT state, count(*) AS n FROM evenkeel_tasks GROUP BY state ORDER BY state')
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
  }

  /** The latest attempt at each task. */
  async starts(): Promise<Start[]> {
    const rows = await this.#read(
      `SELECT payload ->> 'orderId' AS order_id, via, attempt, ${this.#ms('created_at')} AS created, ${this.#ms('started_at')} AS started
       FROM evenkeel_tasks WHERE started_at IS NOT NULL`,
    )
    return rows.map(({ order_id, via, attempt, created, started }) => ({
      orderId: String(order_id),
      via: String(via),
      attempt: Number(attempt),
      createdAt: Number(created),
      startedAt: Number(started),
    }))
  }

  /** Waits until every task is done. */
  async untilDone(timeoutMs = 30_000): Promise<void> {
    const allDone = async (): Promise<boolean> => {
      const states = await this.states()
      if (Object.keys(states).some((state) => state !== 'done')) throw new Error(JSON.stringify(states))
      return true
    }
    await eventually('every task is done', allDone, { timeoutMs, everyMs: 100 })
  }
}
