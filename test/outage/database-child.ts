/**
 * A process of its own that works on a SQLite data directory: `node database-child.ts <directory> <what>`.
 * Writes one line for each row that was acknowledged, so that the parent can kill it at any moment and compare.
 */

import { createDatabase } from 'evenkeel/database'
import { LOAD_MIGRATIONS } from './database-load.ts'

const [directory = '', what = '', name = ''] = process.argv.slice(2)
const database = createDatabase({ directory })
database.migrate('load', LOAD_MIGRATIONS)
database.migrate('sum', [
  { id: '001', sql: `CREATE TABLE sums (id TEXT PRIMARY KEY, n BIGINT); INSERT INTO sums VALUES ('all', 0)` },
])
database.start()

const jobs: Record<string, () => Promise<void>> = { insert, count, lock, report }
await jobs[what]?.()

/** Inserts rows for ever, in transactions. */
async function insert(): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `${name}-${n}`
    await database.transaction((tx) => tx.query('INSERT INTO load_rows (id) VALUES ($1)', [id]))
    process.stdout.write(`${id}\n`)
  }
}

/** Adds 1, 300 times, reading first: a lost update would show. */
async function count(): Promise<void> {
  for (let n = 0; n < 300; n++)
    await database.transaction(async (tx) => {
      const { rows } = await tx.query<{ n: number }>(`SELECT n FROM sums WHERE id = 'all'`)
      await tx.query(`UPDATE sums SET n = $1 WHERE id = 'all'`, [(rows[0]?.n ?? 0) + 1])
    })
  await database.close()
}

/** Holds the write lock until its input ends. */
async function lock(): Promise<void> {
  await database.transaction(
    async () => {
      process.stdout.write('locked\n')
      for await (const _ of process.stdin) continue
    },
    { deadlineMs: 60_000 },
  )
  await database.close()
}

/** Says once in which state it is after the first verdict. */
async function report(): Promise<void> {
  await database.ready({ deadlineMs: 500 }).catch(() => 'the health says why')
  process.stdout.write(`${JSON.stringify(database.health)}\n`)
  await database.close()
}
