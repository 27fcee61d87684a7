/**
 * What nobody can be faster than who keeps jobs in this PostgreSQL: one statement that stores a row, and one that takes it, over one
 * connection and with nothing between them. The second time without waiting for the disk at the first: the difference is its price.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const TABLE =
  'CREATE TABLE floor (id UUID PRIMARY KEY, state TEXT NOT NULL, payload JSON NOT NULL, attempt INTEGER NOT NULL)'
const STORE = { name: 'store', text: `INSERT INTO floor VALUES ($1, 'ready', $2, 0)` }
const TAKE = {
  name: 'take',
  text: `UPDATE floor SET state = 'running', attempt = attempt + 1 WHERE id = $1 AND state = 'ready'
    AND (SELECT set_config('synchronous_commit', 'off', TRUE)) = 'off' RETURNING id, payload`,
}

export interface FloorOptions {
  readonly rounds: number
  readonly everyMs: number
}

/** How long both statements took together, in milliseconds, by name. */
export async function floorTimes(databaseUrl: string, options: FloorOptions): Promise<Map<string, number[]>> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(TABLE)
    const withDisk = await timesOf(client, options)
    await client.query('SET synchronous_commit = off')
    return new Map([
      ['(bare INSERT, then UPDATE)', withDisk],
      ['(the same, no wait for the disk)', await timesOf(client, options)],
    ])
  } finally {
    await client.end()
  }
}

async function timesOf(client: pg.Client, { rounds, everyMs }: FloorOptions): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const due = sleep(everyMs)
    const [id, begun] = [randomUUID(), performance.now()]
    await client.query({ ...STORE, values: [id, '{"n":1}'] })
    await client.query({ ...TAKE, values: [id] })
    times.push(performance.now() - begun)
    await due
  }
  return times
}
