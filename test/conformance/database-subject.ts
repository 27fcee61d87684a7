/**
 * What the conformance tests of the durable side work on: one engine's database on a place of its own.
 */

import assert from 'node:assert/strict'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'

/** A place for data that one suite has for itself. */
export interface Place {
  /** Options that lead to the place, and to the same data each time. */
  readonly options: DatabaseOptions
  close(): Promise<void>
}

/** Slack of a deadline. The promise is 15 ms: the outage tests measure it, and a busy test machine gets more here. */
export const SLACK_MS = 250

const MIGRATION = {
  id: '001',
  sql: (dialect: Database['dialect']) => `
    CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0 CHECK (n >= 0));
    CREATE TABLE parts (id ${dialect.autoId}, thing TEXT NOT NULL REFERENCES things (id));
    CREATE TABLE kinds (
      id TEXT PRIMARY KEY, whole BIGINT, small INTEGER, broken DOUBLE PRECISION, words TEXT, yes BOOLEAN,
      at TIMESTAMPTZ, bytes ${dialect.engine === 'sqlite' ? 'BLOB' : 'BYTEA'}, doc JSONB
    )`,
}

export class Subject {
  readonly #openPlace: () => Promise<Place>
  readonly #more = new Set<Database>()
  #opened: { readonly place: Place; readonly database: Database } | undefined

  constructor(openPlace: () => Promise<Place>) {
    this.#openPlace = openPlace
  }

  get database(): Database {
    return this.#parts.database
  }

  get options(): DatabaseOptions {
    return this.#parts.place.options
  }

  async open(): Promise<void> {
    const place = await this.#openPlace()
    const database = createDatabase(place.options)
    this.#opened = { place, database }
    database.migrate('suite', [MIGRATION])
    database.start()
    await database.ready()
  }

  async close(): Promise<void> {
    for (const database of [...this.#more, this.database]) await database.close()
    await this.#parts.place.close()
  }

  /** A second database on the same data, started. */
  another(options: DatabaseOptions = {}): Database {
    const database = this.closeLater(createDatabase({ ...this.options, ...options }))
    database.start()
    return database
  }

  closeLater(database: Database): Database {
    this.#more.add(database)
    return database
  }

  /** `n` of one of the things; undefined when there is no such row. */
  async counted(id: string): Promise<unknown> {
    const { rows } = await this.database.query('SELECT n FROM things WHERE id = $1', [id])
    return rows[0]?.['n']
  }

  get #parts(): { readonly place: Place; readonly database: Database } {
    assert.ok(this.#opened, 'open() comes first')
    return this.#opened
  }
}

/** The error of a call that must fail with this code. */
export async function rejects(promise: Promise<unknown>, code: string, executed: string): Promise<DatabaseError> {
  const error = await promise.then(
    () => assert.fail('It resolved'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, String(error))
  assert.deepEqual([error.code, error.executed], [code, executed], error.message)
  return error
}
