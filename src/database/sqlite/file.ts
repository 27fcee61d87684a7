/**
 * The database file: found or made with permissions for its owner only, opened with the settings that keep what was
 * acknowledged (WAL, one fsync a commit).
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { makeDirectory } from '../../make-directory.ts'

/** Name of the file in the data directory; SQLite puts `-wal` and `-shm` beside it. */
const FILE_NAME = 'evenkeel.db'

/** Name of the file through which processes wake each other. */
export const MESSAGES_FILE = `${FILE_NAME}-messages`

/** How long opening may block the process while another one switches the journal. */
const OPEN_BUSY_MS = 50

/** Makes directory and file where they are missing. */
export function ensureFile(directory: string): string {
  makeDirectory(directory)
  const path = join(directory, FILE_NAME)
  // SQLite gives -wal and -shm the permissions of the file, so it is made with the right ones first.
  closeSync(openSync(path, 'a', 0o600))
  return path
}

/** Tells one file from another of the same name; undefined when there is none. */
export function fileIdentity(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

/** Opens one connection. A reading one refuses every write. */
export function openFile(path: string, use: 'read' | 'write'): DatabaseSync {
  // Loaded when it is needed: with PostgreSQL nobody should see Node 22's warning about it.
  const sqlite = process.getBuiltinModule('node:sqlite')
  const database = new sqlite.DatabaseSync(path, {
    timeout: OPEN_BUSY_MS,
    enableForeignKeyConstraints: true,
    readBigInts: true,
  })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    if (use === 'read') database.exec('PRAGMA query_only = ON')
    // Whoever finds the database locked waits without blocking the process: see `untilFree`.
    database.exec('PRAGMA busy_timeout = 0')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
