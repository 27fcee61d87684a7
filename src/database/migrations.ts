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
import type { Parameter } from './values.ts'

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
      if (missing(steps, applied, engine.address).length > 0) await applyMissing(engine, steps, deadline)
    } while (version !== this.#version)
  }

  /** Writes one row for good, to learn whether the database takes writes. */
  async probeWrite(engine: Engine, deadline: Deadline): Promise<void> {
    await inSession(engine, deadline, async (session) => {
      await createTable(session, engine.dialect, deadline)
      await remember(session, engine.dialect, { component: 'evenkeel', id: 'write-probe', sql: '', checksum: '' }, deadline)
    })
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
      throw new OptionError('migrations', `Expected the migrations of '${component}' to have different ids, got '${id}' twice or empty.`)
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

async function readApplied(query: (sql: string) => Promise<{ rows: Record<string, unknown>[] }>): Promise<Applied> {
  try {
    const { rows } = await query(`SELECT component, id, checksum FROM ${TABLE}`)
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
    if (known !== undefined && known !== checksum)
      throw faultError(ownFault('schema', place, `migration '${id}' of '${component}' was edited after it had been applied`), 'no')
    return known === undefined
  })
}

async function applyMissing(engine: Engine, steps: readonly Step[], deadline: Deadline): Promise<void> {
  await inSession(engine, deadline, async (session) => {
    if (engine.name === 'postgres') await run(session, deadline, 'SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK])
    await createTable(session, engine.dialect, deadline)
    // Read again under the lock: another process may have been first.
    const applied = await readApplied((sql) => session.run({ sql, params: [] }, deadline))
    for (const step of missing(steps, applied, engine.address)) {
      await applyStep(session, step, engine.address, deadline)
      await remember(session, engine.dialect, step, deadline)
    }
  })
}

async function applyStep(session: Session, step: Step, place: string, deadline: Deadline): Promise<void> {
  try {
    await session.script(step.sql, deadline)
  } catch (error) {
    if (!(error instanceof DatabaseError) || !['DATABASE_STATEMENT', 'DATABASE_CONSTRAINT'].includes(error.code)) throw error
    throw faultError(ownFault('schema', place, `migration '${step.id}' of '${step.component}': ${error.message}`, error), 'no')
  }
}

async function createTable(session: Session, dialect: Dialect, deadline: Deadline): Promise<void> {
  await session.script(
    `CREATE TABLE IF NOT EXISTS ${TABLE} (
      component TEXT NOT NULL, id TEXT NOT NULL, checksum TEXT NOT NULL,
      applied_at TIMESTAMPTZ NOT NULL DEFAULT ${dialect.engine === 'sqlite' ? `(${dialect.now})` : dialect.now},
      PRIMARY KEY (component, id))`,
    deadline,
  )
}

async function remember(session: Session, dialect: Dialect, step: Step, deadline: Deadline): Promise<void> {
  const sql = `INSERT INTO ${TABLE} (component, id, checksum) VALUES ($1, $2, $3)
    ON CONFLICT (component, id) DO UPDATE SET checksum = excluded.checksum, applied_at = ${dialect.now}`
  await run(session, deadline, sql, [step.component, step.id, step.checksum])
}

async function run(session: Session, deadline: Deadline, sql: string, params: readonly Parameter[]): Promise<void> {
  await session.run({ sql, params }, deadline)
}

/** All in one transaction: it is applied whole, or not at all. */
async function inSession(engine: Engine, deadline: Deadline, work: (session: Session) => Promise<void>): Promise<void> {
  const session = await engine.lease(false, deadline)
  try {
    await session.begin(false, deadline)
    await work(session)
    await session.commit(deadline)
    session.release()
  } catch (error) {
    // Ending the connection rolls back, whatever state it is in.
    session.destroy()
    throw error
  }
}
