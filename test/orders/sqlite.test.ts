/** Orders in node:sqlite, in a folder of their own. */

import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { scratchDirectory } from '../support/leash.ts'
import { durabilityTests, type AttemptRow } from './durability.ts'

durabilityTests('orders in SQLite', async () => {
  const directory = scratchDirectory('orders-sqlite')
  return {
    options: { directory },
    async attempts() {
      using database = new DatabaseSync(join(directory, 'data/evenkeel.db'), { readOnly: true })
      const rows = database
        .prepare('SELECT order_id, attempt, outcome, instance FROM order_attempts ORDER BY rowid')
        .all()
      return rows.map((row) => ({ ...row }) as unknown as AttemptRow)
    },
    writable() {
      using database = new DatabaseSync(join(directory, 'data/evenkeel.db'), { timeout: 0 })
      try {
        database.exec('BEGIN IMMEDIATE; ROLLBACK')
        return true
      } catch (error) {
        if (error instanceof Error && error.message.includes('locked')) return false
        throw error
      }
    },
  }
})
