/**
 * Sessions in the database: a copy of what is in Redis, written behind it, and the place where they change while Redis is away.
 * A row is `owed` as long as Redis has not been told of it; any process may tell it.
 */
import type { Database, Migration } from '../database/index.ts'
import type { SessionRecord } from './record.ts'

const MIGRATIONS: readonly Migration[] = [
  {
    id: '001-sessions',
    sql: `
      CREATE TABLE evenkeel_sessions (
        id TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        owed BOOLEAN NOT NULL,
        data TEXT
      );
      CREATE INDEX evenkeel_sessions_owed ON evenkeel_sessions (id) WHERE owed;
      CREATE INDEX evenkeel_sessions_end ON evenkeel_sessions (expires_at)`,
  },
]

interface Row {
  readonly id: string
  readonly version: number
  readonly expires_at: Date
  readonly data: string | null
}

export interface DatabaseStoreOptions {
  readonly database: Database
  readonly deadlineMs: number
}

/** Rows written, told or pruned by one statement. */
const BATCH = 200

export class DatabaseStore {
  readonly #database: Database
  readonly #call: { readonly deadlineMs: number }

  constructor({ database, deadlineMs }: DatabaseStoreOptions) {
    this.#database = database
    this.#call = { deadlineMs }
    database.migrate('sessions', MIGRATIONS)
  }

  /** Worth asking? While it connects a call waits for it, within its deadline. */
  get usable(): boolean {
    const { can, state } = this.#database.health
    return can.read || state === 'connecting'
  }

  /** @throws DatabaseError */
  async get(id: string): Promise<SessionRecord | undefined> {
    const { rows } = await this.#database.query<Row>(
      `SELECT id, version, expires_at, data FROM evenkeel_sessions WHERE id = $1 AND expires_at > ${this.#database.dialect.now}`,
      [id],
      this.#call,
    )
    return rows.map(recordOf)[0]
  }

  /** Is there anything under this id, logged out or not? @throws DatabaseError */
  async has(id: string): Promise<boolean> {
    const sql = 'SELECT 1 AS one FROM evenkeel_sessions WHERE id = $1'
    return (await this.#database.query(sql, [id], this.#call)).rows.length > 0
  }

  /** The id of every session that was not logged out. @throws DatabaseError */
  async ids(): Promise<readonly string[]> {
    const sql = `SELECT id FROM evenkeel_sessions WHERE data IS NOT NULL AND expires_at > ${this.#database.dialect.now}`
    const { rows } = await this.#database.query<{ readonly id: string }>(sql, [], this.#call)
    return rows.map(({ id }) => id)
  }

  /** Stores them unless there are newer ones, or they were logged out; how many it stored. `owed`: Redis does not know. @throws DatabaseError */
  async save(records: readonly SessionRecord[], owed: boolean, wallNow: number): Promise<number> {
    let stored = 0
    for (let from = 0; from < records.length; from += BATCH) {
      const parameters: (string | number | boolean | null)[] = [owed]
      const values = records.slice(from, from + BATCH).map(({ id, version, expiresAt, text }) => {
        const leftMs = Math.max(1, Math.ceil(Math.min(expiresAt - wallNow, MAX_LEFT_MS)))
        const at = parameters.push(id, version, leftMs, text ?? null)
        const { dialect } = this.#database
        const end = dialect.plusMs(dialect.now, `CAST($${at - 1} AS BIGINT)`)
        return `($${at - 3}, $${at - 2}, ${end}, $1, $${at})`
      })
      stored += (await this.#database.query(upsert(values), parameters, this.#call)).rowCount
    }
    return stored
  }

  /** Up to a batch of the rows that Redis has to be told. @throws DatabaseError */
  async owed(): Promise<readonly SessionRecord[]> {
    const { rows } = await this.#database.query<Row>(
      `SELECT id, version, expires_at, data FROM evenkeel_sessions WHERE owed ORDER BY id LIMIT ${BATCH}`,
      [],
      this.#call,
    )
    return rows.map(recordOf)
  }

  /** Redis knows them now, unless they have changed since. @throws DatabaseError */
  async told(records: readonly SessionRecord[]): Promise<void> {
    await this.#database.transaction(async (tx) => {
      for (const { id, version, text } of records)
        await tx.query(
          `UPDATE evenkeel_sessions SET owed = $1 WHERE id = $2 AND version = $3 AND (data IS NULL) = $4`,
          [false, id, version, text === undefined],
        )
    }, this.#call)
  }

  /** Removes a batch of those that are over; how many it were. @throws DatabaseError */
  async prune(): Promise<number> {
    const { now } = this.#database.dialect
    const { rowCount } = await this.#database.query(
      `DELETE FROM evenkeel_sessions
       WHERE id IN (SELECT id FROM evenkeel_sessions WHERE expires_at <= ${now} LIMIT ${BATCH})`,
      [],
      this.#call,
    )
    return rowCount
  }
}

/** An end beyond every calendar would not be one that SQL can write. */
const MAX_LEFT_MS = 400 * 86_400_000

function upsert(values: readonly string[]): string {
  return `INSERT INTO evenkeel_sessions (id, version, expires_at, owed, data) VALUES ${values.join(', ')}
    ON CONFLICT (id) DO UPDATE
    SET version = excluded.version, expires_at = excluded.expires_at, owed = excluded.owed, data = excluded.data
    WHERE evenkeel_sessions.data IS NOT NULL
      AND (excluded.data IS NULL OR excluded.version >= evenkeel_sessions.version)`
}

function recordOf({ id, version, expires_at, data }: Row): SessionRecord {
  return { id, version, expiresAt: expires_at.getTime(), text: data ?? undefined }
}
