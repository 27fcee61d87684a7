/**
 * Brings the schema up to date: each component declares its migrations, one table remembers which were applied.
 * Migrations only add. Several processes may start at once: whoever holds the lock applies, the others find it done.
 */
import { createHash } from 'node:crypto'
import { DatabaseError, OptionError } from '../errors.ts'
import { faultError, ownFault } from './classify.ts'
import type { Deadline } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import type { Engine, Session } from './engine.ts'

/** One step of a component's schema. Never edit one that was applied: add another one. */
export interface Migration {
  /** Unique within the component, such as `001-orders`. */
  readonly id: string
  /** One or more statements; a function where the engines need different text. */
  readonly sql: string | ((dialect: Dialect) => string)
}

/** A migration with its text for one engine. */
interface Step {
  readonly component: string
  readonly id: string
  readonly sql: string
  readonly checksum: string
}

const TABLE = 'evenkeel_migrations'
/** Any constant will do that other software in the same PostgreSQL database does not use: "evkl". */
const ADVISORY_LOCK = 0x65766b6c

export class Migrations {
  readonly #declared = new Map<string, readonly Migration[]>()
  #version = 0

  /** Returns whether this is news. */
  declare(component: string, migrations: readonly Migration[]): boolean {
    checkIds(component, migrations)
    const known = this.#declared.get(component)
    if (known !== undefined && sameIds(known, migrations)) return false
    this.#declared.set(component, migrations)
    this.#version += 1
    return true
  }

  /** Applies what is missing; returns when nothing is, be it declared meanwhile. */
  async apply(engine: Engine, deadline: Deadline): Promise<void> {
    let version: number
    do {
      version = this.#version
      const steps = this.#steps(engine.dialect)
      if (steps.length === 0) return
      const applied = await readApplied((sql) => engine.query({ sql, params: [] }, deadline))
      if (missing(steps, applied, engine.address).length > 0)
        await SchemaChange.run(engine, deadline, (change) => change.applyMissing(steps))
    } while (version !== this.#version)
  }

  /** Writes one row for good, to learn whether the database takes writes. */
  async probeWrite(engine: Engine, deadline: Deadline): Promise<void> {
    const row: Step = { component: 'evenkeel', id: 'write-probe', sql: '', checksum: '' }
    await SchemaChange.run(engine, deadline, (change) => change.remember(row))
  }

  #steps(dialect: Dialect): Step[] {
    return [...this.#declared].flatMap(([component, migrations]) =>
      migrations.map(({ id, sql }) => {
        const text = (typeof sql === 'string' ? sql : sql(dialect)).trim()
        return { component, id, sql: text, checksum: createHash('sha256').update(text).digest('hex').slice(0, 16) }
      }),
    )
  }
}

function checkIds(component: string, migrations: readonly Migration[]): void {
  const seen = new Set<string>()
  for (const { id } of migrations) {
    if (id === '' || seen.has(id))
      throw new OptionError(
        'migrations',
        `Expected the migrations of '${component}' to have different ids, got '${id}' twice or empty.`,
      )
    seen.add(id)
  }
}

function sameIds(one: readonly Migration[], other: readonly Migration[]): boolean {
  return one.length === other.length && one.every(({ id }, index) => id === other[index]?.id)
}

type Applied = ReadonlyMap<string, string>

function key(component: string, id: string): string {
  return JSON.stringify([component, id])
}

type Select = (sql: string) => Promise<{ readonly rows: Record<string, unknown>[] }>

async function readApplied(select: Select): Promise<Applied> {
  try {
    const { rows } = await select(`SELECT component, id, checksum FROM ${TABLE}`)
    return new Map(rows.map((row) => [key(String(row['component']), String(row['id'])), String(row['checksum'])]))
  } catch (error) {
    // The table is made together with the first migration; if something else is wrong, making it will say so.
    if (error instanceof DatabaseError && error.code === 'DATABASE_STATEMENT') return new Map()
    throw error
  }
}

function missing(steps: readonly Step[], applied: Applied, place: string): Step[] {
  return steps.filter(({ component, id, checksum }) => {
    const known = applied.get(key(component, id))
    const detail = `migration '${id}' of '${component}' was edited after it had been applied`
    if (known !== undefined && known !== checksum) throw faultError(ownFault('schema', { place, detail }), 'no')
    return known === undefined
  })
}

/** One transaction in which the schema changes: it is applied whole, or not at all. */
class SchemaChange {
  readonly #engine: Engine
  readonly #session: Session
  readonly #deadline: Deadline

  private constructor(engine: Engine, session: Session, deadline: Deadline) {
    this.#engine = engine
    this.#session = session
    this.#deadline = deadline
  }

  static async run(engine: Engine, deadline: Deadline, work: (change: SchemaChange) => Promise<void>): Promise<void> {
    const session = await engine.lease(false, deadline)
    try {
      await session.begin(false, deadline)
      const change = new SchemaChange(engine, session, deadline)
      await change.#prepare()
      await work(change)
      await session.commit(deadline)
    } catch (error) {
      await session.rollback(deadline).then(
        () => session.release(),
        () => session.destroy(),
      )
      throw error
    }
    session.release()
  }

  /** Another process may have been first: what is missing is read under the lock. */
  async applyMissing(steps: readonly Step[]): Promise<void> {
    const applied = await readApplied((sql) => this.#session.run({ sql, params: [] }, this.#deadline))
    for (const step of missing(steps, applied, this.#engine.address)) {
      await this.#apply(step)
      await this.remember(step)
    }
  }

  async remember({ component, id, checksum }: Step): Promise<void> {
    const sql = `INSERT INTO ${TABLE} (component, id, checksum, applied_at) VALUES ($1, $2, $3, ${this.#engine.dialect.now})
      ON CONFLICT (component, id) DO UPDATE SET checksum = excluded.checksum, applied_at = excluded.applied_at`
    await this.#session.run({ sql, params: [component, id, checksum] }, this.#deadline)
  }

  async #prepare(): Promise<void> {
    const lock = { sql: 'SELECT pg_advisory_xact_lock($1)', params: [ADVISORY_LOCK] }
    // SQLite's BEGIN IMMEDIATE is such a lock by itself.
    if (this.#engine.name === 'postgres') await this.#session.run(lock, this.#deadline)
    await this.#session.script(
      `CREATE TABLE IF NOT EXISTS ${TABLE} (
        component TEXT NOT NULL, id TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (component, id))`,
      this.#deadline,
    )
  }

  async #apply({ component, id, sql }: Step): Promise<void> {
    try {
      await this.#session.script(sql, this.#deadline)
    } catch (error) {
      if (!(error instanceof DatabaseError) || !['DATABASE_STATEMENT', 'DATABASE_CONSTRAINT'].includes(error.code))
        throw error
      const detail = `migration '${id}' of '${component}': ${error.message}`
      throw faultError(ownFault('schema', { place: this.#engine.address, detail, cause: error }), 'no')
    }
  }
}
