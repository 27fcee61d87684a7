/**
 * Events in the database, while Redis is away or where there is none: a table that every process reads, and a message that says
 * there is something to read (PostgreSQL's own are too short for a payload). A row is `owed` as long as Redis has not been
 * told of it; any process may tell it.
 */
import type { CallOptions, Database, Dialect, Listening, Migration, Queryable } from '../database/index.ts'
import { DatabaseError, type Reason } from '../errors.ts'
import { decode, encode, type Envelope } from './envelope.ts'

const MIGRATIONS: readonly Migration[] = [
  {
    id: '001-events',
    sql: ({ autoId, now }: Dialect) => `
      CREATE TABLE evenkeel_events (
        id ${autoId},
        name TEXT NOT NULL,
        origin TEXT NOT NULL,
        delivery TEXT NOT NULL,
        number BIGINT NOT NULL,
        owed BOOLEAN NOT NULL,
        stored_at TIMESTAMPTZ NOT NULL DEFAULT (${now}),
        body TEXT NOT NULL,
        UNIQUE (origin, delivery, number)
      );
      CREATE INDEX evenkeel_events_name ON evenkeel_events (name, id);
      CREATE INDEX evenkeel_events_owed ON evenkeel_events (name, id) WHERE owed;
      CREATE TABLE evenkeel_event_names (
        name TEXT PRIMARY KEY,
        incarnation TEXT NOT NULL,
        pruned BIGINT NOT NULL
      )`,
  },
]

const CHANNEL = 'evenkeel_events'
/** What Redis was told is kept for readers that have not come to it yet. */
const TOLD_KEPT_MS = 60_000
/** Rows removed by one statement. */
const BATCH = 500

export interface RowStoreOptions {
  readonly database: Database
  readonly name: string
  readonly maxLength: number
  readonly maxAgeMs: number
  /** A word for a table that is new to the name. */
  readonly incarnation: () => string
}

/** An event in the table. */
export interface EventRow {
  readonly id: number
  readonly owed: boolean
  /** Undefined when it is none of ours. */
  readonly envelope: Envelope | undefined
}

/** Where the table stands. */
export interface RowsHead {
  readonly incarnation: string
  /** The highest number, 0 without rows. */
  readonly last: number
  /** Up to this one, rows are gone that Redis was never told of. */
  readonly pruned: number
}

interface Raw {
  readonly id: number
  readonly owed: boolean
  readonly body: string
}

export interface ReadRowsOptions {
  readonly after: number
  readonly count: number
  /** Not its own. */
  readonly notOf?: string
  /** Not these. */
  readonly not?: readonly number[]
}

export class RowStore {
  readonly #options: RowStoreOptions
  readonly #call: CallOptions = { deadlineMs: 1000 }

  constructor(options: RowStoreOptions) {
    this.#options = options
    options.database.migrate('events', MIGRATIONS)
  }

  /** Rows may become visible in another order than they are numbered: with PostgreSQL, not with the one writer of SQLite. */
  get isOrdered(): boolean {
    return this.#options.database.engine === 'sqlite'
  }

  get canRead(): boolean {
    return this.#options.database.health.can.read
  }

  /** Why it cannot be read. */
  get unavailable(): Reason {
    return this.#options.database.health.reason
  }

  get canWrite(): boolean {
    return this.#options.database.health.can.write
  }

  /** Told of every word that there is something to read, and whenever one may have been missed. */
  listen(look: () => void): Listening {
    const { database, name } = this.#options
    return database.listen(CHANNEL, {
      onMessage: (text) => {
        if (text === name) look()
      },
      onGap: look,
    })
  }

  /** Stores what it does not have, in order, then says so. @throws DatabaseError */
  async insert(envelopes: readonly Envelope[], deadlineMs: number): Promise<void> {
    const { database, name } = this.#options
    const parameters: (string | number | boolean)[] = [name]
    const values = envelopes.map((envelope) => {
      const { origin, delivery, number } = envelope
      const at = parameters.push(origin, delivery, number, delivery === 'stream', encode(envelope))
      return `($1, $${at - 4}, $${at - 3}, $${at - 2}, $${at - 1}, $${at})`
    })
    const sql = `INSERT INTO evenkeel_events (name, origin, delivery, number, owed, body) VALUES ${values.join(', ')}
      ON CONFLICT (origin, delivery, number) DO NOTHING`
    await database.query(sql, parameters, { deadlineMs })
    database.notify(CHANNEL, name, this.#call).catch(() => 'whoever is not told looks now and then')
  }

  /** @throws DatabaseError */
  async head(): Promise<RowsHead> {
    const { database, name, incarnation } = this.#options
    const make =
      'INSERT INTO evenkeel_event_names (name, incarnation, pruned) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING'
    const ask = `SELECT incarnation, pruned, (SELECT max(id) FROM evenkeel_events WHERE name = $1) AS last
      FROM evenkeel_event_names WHERE name = $1`
    interface Head {
      readonly incarnation: string
      readonly pruned: number
      readonly last: number | null
    }
    const found = await database.query<Head>(ask, [name], this.#call)
    if (found.rows.length === 0) await database.query(make, [name, incarnation()], this.#call)
    const [head] = found.rows.length > 0 ? found.rows : (await database.query<Head>(ask, [name], this.#call)).rows
    return { incarnation: head?.incarnation ?? '', last: head?.last ?? 0, pruned: head?.pruned ?? 0 }
  }

  /** In the order of their numbers. @throws DatabaseError */
  async read({ after, count, notOf = '', not = [] }: ReadRowsOptions): Promise<readonly EventRow[]> {
    const { database, name } = this.#options
    const sql = `SELECT id, owed, body FROM evenkeel_events
      WHERE name = $1 AND id > $2 AND origin <> $3 AND NOT (${database.dialect.oneOf('id', '$4')}) ORDER BY id LIMIT ${count}`
    const { rows } = await database.query<Raw>(sql, [name, after, notOf, not], this.#call)
    return rows.map(rowOf)
  }

  /** The first ones of which Redis has to be told. @throws DatabaseError */
  async owed(count: number): Promise<readonly EventRow[]> {
    const { database, name } = this.#options
    const sql = `SELECT id, owed, body FROM evenkeel_events WHERE name = $1 AND owed ORDER BY id LIMIT ${count}`
    return (await database.query<Raw>(sql, [name], this.#call)).rows.map(rowOf)
  }

  /** Redis knows them now. @throws DatabaseError */
  async told(rows: readonly EventRow[]): Promise<void> {
    const { database } = this.#options
    const sql = `UPDATE evenkeel_events SET owed = $1, stored_at = ${database.dialect.now}
      WHERE ${database.dialect.oneOf('id', '$2')}`
    await database.query(sql, [false, rows.map(({ id }) => id)], this.#call)
  }

  /** Removes what is told or was sent once, after a minute; and of what is owed the oldest beyond length and age. @throws DatabaseError */
  async prune(): Promise<void> {
    const { database } = this.#options
    await database.transaction((tx) => this.#prune(tx), this.#call)
  }

  async #prune(tx: Queryable): Promise<void> {
    const { name, maxLength, maxAgeMs } = this.#options
    const { dialect } = tx
    const before = (milliseconds: number): string => dialect.plusMs(dialect.now, `(-${milliseconds})`)
    await tx.query(
      `DELETE FROM evenkeel_events WHERE id IN (SELECT id FROM evenkeel_events
         WHERE name = $1 AND NOT owed AND stored_at < ${before(TOLD_KEPT_MS)} LIMIT ${BATCH})`,
      [name],
    )
    const beyond = `SELECT id FROM evenkeel_events WHERE name = $1 AND owed ORDER BY id DESC LIMIT 1 OFFSET ${maxLength}`
    const { rows } = await tx.query<{ readonly cut: number | null }>(
      `SELECT max(id) AS cut FROM evenkeel_events
       WHERE name = $1 AND owed AND (stored_at < ${before(maxAgeMs)} OR id <= (${beyond}))`,
      [name],
    )
    const cut = rows[0]?.cut ?? null
    if (cut === null) return
    const noted = 'UPDATE evenkeel_event_names SET pruned = $2 WHERE name = $1 AND pruned < $2'
    await tx.query(noted, [name, cut])
    await tx.query('DELETE FROM evenkeel_events WHERE name = $1 AND owed AND id <= $2', [name, cut])
  }
}

function rowOf({ id, owed, body }: Raw): EventRow {
  return { id, owed, envelope: decode(body) }
}

/** The database could not be asked, or did not answer; anything else is a mistake and goes on. */
export function isDatabaseTrouble(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError
}
