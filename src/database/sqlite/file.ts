/**
 * The database file: found or made with permissions for its owner only, opened with the settings that keep what was
 * acknowledged (WAL, one fsync a commit).
 */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

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

/**
 * Makes the directory and those above it. Node's own recursive mkdir tries for ever, in one call that no signal ends, where a
 * directory is there and the system knows none in it (ENOENT), as in /proc.
 */
function makeDirectory(directory: string): void {
  if (isDirectory(directory)) return
  const parent = dirname(directory)
  if (parent !== directory) makeDirectory(parent)
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isDirectory(directory)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
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
