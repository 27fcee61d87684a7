/** The table of the application's own, in the same PostgreSQL as the queues: an order is what the job is about. */
import pg from 'pg'
import { POOL, type Servers } from './adapter.ts'

export const ORDERS_TABLE = 'CREATE TABLE IF NOT EXISTS bench_orders (id TEXT PRIMARY KEY, amount BIGINT NOT NULL)'
export const INSERT_ORDER = 'INSERT INTO bench_orders (id, amount) VALUES ($1, $2)'
export const AMOUNT = 32_000

let orders = 0

export function orderId(): string {
  return `${process.pid}-${(orders += 1)}`
}

/** A pool as the application would have it. */
export async function openPool({ databaseUrl }: Servers): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL })
  pool.on('error', (error) => console.error(`pool: ${error.message}`))
  await pool.query(ORDERS_TABLE)
  return pool
}

/** Runs the order and whatever goes with it in one transaction. */
export async function orderTogether(pool: pg.Pool, more: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(INSERT_ORDER, [orderId(), AMOUNT])
    await more(client)
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}
