/**
 * The tasks in the database, which is the only place where they are: what else knows of a task knows its id.
 */
import type { Database, Queryable, StatementOptions } from '../../database/index.ts'
import { DatabaseError } from '../../errors.ts'
import type { TasksSettings } from '../options.ts'
import type { Task, TaskState } from '../task.ts'
import { claimedOf, endingRow, hasKey, isPlain, leaseRow, newTaskRow, taskOf, timeOf } from './rows.ts'
import type {
  Accepted,
  Claimed,
  ClaimedRow,
  Demand,
  Ended,
  Ending,
  Expired,
  Extended,
  ExtendedRow,
  Lease,
  NewTask,
  Outlook,
  TaskCount,
  TaskRow,
} from './rows.ts'
import { migrations, TABLE } from './schema.ts'
import { claimBest, COLUMNS, statementsFor } from './sql.ts'
import type { Statements } from './sql.ts'

export interface ListFilter {
  readonly state?: TaskState
  readonly name?: string
  /** Only tasks older than the one with this id. */
  readonly before?: string
  /** @default 50 */
  readonly limit?: number
}

export interface LyingFilter {
  readonly names: readonly string[]
  readonly olderMs: number
  readonly atMost: number
  readonly after: string | undefined
}

const SWEPT_AT_ONCE = 500
const PRUNED_AT_ONCE = 1000
const REDRIVE_ATTEMPTS = 5

export class TaskStore {
  readonly #database: Database
  readonly #settings: TasksSettings
  readonly #sql: Statements
  /** By number of names. */
  readonly #claimBest = new Map<number, string>()

  constructor(database: Database, settings: TasksSettings) {
    this.#database = database
    this.#settings = settings
    this.#sql = statementsFor(database.dialect)
    database.migrate('tasks', migrations)
  }

  /** Stores tasks, in the caller's transaction or by one statement; returns the ids of those that are new. */
  async insert(tasks: readonly NewTask[], query: Pick<Queryable, 'query'> = this.#fixed): Promise<ReadonlySet<string>> {
    const [only] = tasks
    if (tasks.length > 1 || only === undefined || !isPlain(only)) return await this.insertAsText(tasks, query)
    const { id, name, payload, priority, maxAttempts } = only
    await query.query(this.#sql.insertOne, [id, this.#settings.queue, name, payload, priority, maxAttempts])
    return new Set([id])
  }

  /** The same with parameters that are text whatever they mean, as an ORM takes them that knows no types. */
  async insertAsText(tasks: readonly NewTask[], query: Pick<Queryable, 'query'>): Promise<ReadonlySet<string>> {
    const sql = tasks.some(hasKey) ? this.#sql.insertNew : this.#sql.insert
    const parameters = [JSON.stringify(inOneOrder(tasks).map(newTaskRow)), this.#settings.queue]
    const { rows } = await query.query<{ id: string }>(sql, parameters)
    return new Set(rows.map(({ id }) => id))
  }

  /** The id of the task that stands in the way of a new one with the same keys. */
  async existing(task: NewTask, query: Pick<Queryable, 'query'> = this.#own): Promise<string | undefined> {
    const { idempotencyKey, uniqueKey } = task
    const parameters = [this.#settings.queue, idempotencyKey, uniqueKey]
    const { rows } = await query.query<{ id: string }>(this.#sql.existing, parameters)
    return rows[0]?.id
  }

  /** Takes those of the tasks that are ready; the others are somebody's, or over, or were never there. */
  async claimIds(ids: readonly string[], { token, via, atMost, limits }: Demand): Promise<Claimed[]> {
    const { queue, leaseMs, instance } = this.#settings
    const parameters = [ids, queue, [...limits.keys()], atMost, token, leaseMs, via, instance]
    const { rows } = await this.#database.query<ClaimedRow>(this.#sql.claimIds, parameters, this.#unhurried)
    return claimedOf(rows, token, via)
  }

  /** Takes ready tasks in the order of their priority, then of their age. */
  async claimBest({ token, via, atMost, limits, graceMs }: Demand): Promise<Claimed[]> {
    const { queue, leaseMs, instance } = this.#settings
    const names = [...limits].flatMap(([name, limit]) => [name, Math.min(limit, atMost)])
    const parameters = [queue, atMost, token, leaseMs, via, instance, -graceMs, ...names]
    // All workers are woken for one task.
    const onlyIf = { sql: this.#sql.anyReady, params: [queue, [...limits.keys()], -graceMs] }
    const sql = this.#claimBestFor(limits.size)
    const { rows } = await this.#database.query<ClaimedRow>(sql, parameters, { ...this.#unhurried, onlyIf })
    return claimedOf(rows, token, via)
  }

  /** Renews leases, and stores progress where there is some (JSON text); what does not come back was lost. */
  async extend(
    leases: readonly (Lease & { readonly progress: string | undefined })[],
  ): Promise<ReadonlyMap<string, Extended>> {
    const list = leases.map((lease) => ({ ...leaseRow(lease), new_progress: lease.progress ?? null }))
    const sql = leases.length > 1 ? this.#sql.extendMany : this.#sql.extend
    const parameters = [JSON.stringify(list), this.#settings.leaseMs]
    const { rows } = await this.#own.query<ExtendedRow>(sql, parameters)
    return new Map(
      rows.map(({ id, cancel_requested, renewed }) => [
        id,
        { cancelRequested: cancel_requested, isRenewed: Boolean(renewed) },
      ]),
    )
  }

  /** Ends attempts, each if it is still its own to end; returns those that were. */
  async end(endings: readonly Ending[], query: Pick<Queryable, 'query'> = this.#fixed): Promise<readonly Accepted[]> {
    const parameters = [JSON.stringify(endings.map(endingRow)), this.#settings.keepMs]
    return (await query.query<Accepted>(this.#sql.end, parameters)).rows
  }

  /** Those of the attempts that are over, as they ended: for ends whose answer got lost. */
  async over(leases: readonly Lease[]): Promise<readonly Accepted[]> {
    const sql = `SELECT id, awaited, state, attempt FROM ${TABLE}
      WHERE ${this.#database.dialect.oneOf('id', '$1')} AND state IN ('done', 'dead', 'cancelled')`
    const { rows } = await this.#own.query<Accepted & { attempt: number }>(sql, [leases.map(({ id }) => id)])
    const attempts = new Map(leases.map(({ id, attempt }) => [id, attempt]))
    return rows.filter(({ id, attempt }) => attempts.get(id) === attempt)
  }

  /** Looks and changes nothing: an idle worker takes no lock. */
  async peek(names: readonly string[], graceMs: number): Promise<Outlook> {
    const { rows } = await this.#own.query(this.#sql.peek, [this.#settings.queue, names, -graceMs])
    const row = rows[0] ?? {}
    const at = timeOf(row['at']) ?? this.#settings.clock.wallNow()
    const untilMs = (value: unknown): number | undefined => {
      const time = timeOf(value)
      return time === undefined ? undefined : time - at
    }
    return {
      at,
      ready: Number(row['ready']) > 0,
      leaseEndsInMs: untilMs(row['lease_until']),
      scheduledInMs: untilMs(row['scheduled_at']),
      pruneInMs: untilMs(row['keep_until']),
    }
  }

  /** Takes tasks back from whoever let the lease run out. */
  async expire(): Promise<readonly Expired[]> {
    const { queue, keepDeadMs, keepMs } = this.#settings
    return (await this.#own.query<Expired>(this.#sql.expire, [queue, SWEPT_AT_ONCE, keepDeadMs, keepMs])).rows
  }

  /** Makes ready what is due; returns whether there may be more. */
  async promote(): Promise<boolean> {
    const { rowCount } = await this.#own.query(this.#sql.promote, [this.#settings.queue, SWEPT_AT_ONCE])
    return rowCount === SWEPT_AT_ONCE
  }

  /** Removes finished tasks whose time is over; returns whether there may be more. */
  async prune(): Promise<boolean> {
    const { rowCount } = await this.#own.query(this.#sql.prune, [PRUNED_AT_ONCE])
    return rowCount === PRUNED_AT_ONCE
  }

  async counts(): Promise<ReadonlyMap<string, TaskCount>> {
    const { rows } = await this.#own.query<{ state: string; tasks: number; oldest_ms: number | null }>(
      this.#sql.counts,
      [this.#settings.queue],
    )
    return new Map(rows.map(({ state, tasks, oldest_ms }) => [state, { tasks, oldestMs: oldest_ms ?? 0 }]))
  }

  async get(ids: readonly string[]): Promise<Task[]> {
    const sql = `SELECT ${COLUMNS} FROM ${TABLE} WHERE ${this.#database.dialect.oneOf('id', '$1')} AND queue = $2`
    return (await this.#own.query<TaskRow>(sql, [ids, this.#settings.queue])).rows.map(taskOf)
  }

  /** Without the payloads, which may be large. */
  async results(ids: readonly string[]): Promise<readonly Ended[]> {
    const sql = `SELECT id, state, result, error FROM ${TABLE} WHERE ${this.#database.dialect.oneOf('id', '$1')} AND queue = $2`
    return (await this.#own.query<Ended>(sql, [ids, this.#settings.queue])).rows
  }

  /** Ready tasks that nobody has claimed for so long, the oldest first, from the one after `after` on. */
  async lying({ names, olderMs, atMost, after }: LyingFilter): Promise<{ id: string; name: string }[]> {
    const parameters = [this.#settings.queue, names, -olderMs, atMost, after ?? null]
    return (await this.#own.query<{ id: string; name: string }>(this.#sql.lying, parameters)).rows.slice()
  }

  /** The newest first. */
  async list({ state, name, before, limit = 50 }: ListFilter): Promise<Task[]> {
    const parameters: (string | number)[] = [this.#settings.queue, limit]
    const conditions = ['queue = $1']
    // Written out, so that the engine sees that a partial index will do.
    if (state !== undefined) conditions.push(`state = '${state}'`)
    if (name !== undefined) conditions.push(`name = $${parameters.push(name)}`)
    if (before !== undefined) conditions.push(`id < $${parameters.push(before)}`)
    const sql = `SELECT ${COLUMNS} FROM ${TABLE} WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT $2`
    return (await this.#own.query<TaskRow>(sql, parameters)).rows.map(taskOf)
  }

  /** The state after it: `running` when its attempt has yet to be told; undefined when there is nothing to cancel. */
  async cancel(id: string): Promise<TaskState | undefined> {
    const { queue, keepMs } = this.#settings
    const { rows } = await this.#own.query<{ state: TaskState }>(this.#sql.cancel, [id, queue, keepMs])
    return rows[0]?.state
  }

  /** Those of the running tasks that somebody wants to stop. */
  async cancelled(ids: readonly string[]): Promise<readonly string[]> {
    const sql = `SELECT id FROM ${TABLE} WHERE ${this.#database.dialect.oneOf('id', '$1')} AND state = 'running' AND cancel_requested`
    return (await this.#own.query<{ id: string }>(sql, [ids])).rows.map((row) => row.id)
  }

  async redrive(atMost: number, { id, name }: { readonly id?: string; readonly name?: string }): Promise<string[]> {
    const parameters = [this.#settings.queue, atMost, id ?? null, name ?? null]
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#own.query<{ id: string }>(this.#sql.redrive, parameters)).rows.map((row) => row.id)
      } catch (error) {
        // A task with the same unique key was started at this moment: now it is seen.
        const isTaken = error instanceof DatabaseError && error.code === 'DATABASE_CONSTRAINT'
        if (!isTaken || attempt === REDRIVE_ATTEMPTS) throw error
      }
    }
  }

  /** Those of the tasks that are not over. */
  async unfinished(ids: readonly string[]): Promise<readonly string[]> {
    const sql = `SELECT id FROM ${TABLE} WHERE ${this.#database.dialect.oneOf('id', '$1')} AND queue = $2 AND state IN ('scheduled', 'ready', 'running')`
    return (await this.#own.query<{ id: string }>(sql, [ids, this.#settings.queue])).rows.map((row) => row.id)
  }

  /**
   * Asks whoever ends these tasks to say so. Returns those that a claim at the same moment may have passed over, because their rows
   * were being changed; SQLite has one writer, and passes over none.
   */
  async announce(ids: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#own.query<{ id: string; state: TaskState }>(this.#sql.await, [
      ids,
      this.#settings.queue,
    ])
    if (this.#database.engine === 'sqlite') return []
    return rows.filter(({ state }) => state === 'ready').map(({ id }) => id)
  }

  /** Those of the tasks that are ready. */
  async ready(ids: readonly string[]): Promise<readonly { readonly id: string; readonly name: string }[]> {
    const sql = `SELECT id, name FROM ${TABLE} WHERE ${this.#database.dialect.oneOf('id', '$1')} AND queue = $2 AND state = 'ready'`
    return (await this.#own.query<{ id: string; name: string }>(sql, [ids, this.#settings.queue])).rows
  }

  /** Moves a schedule on to a tick; false when somebody else has. */
  async advance(schedule: string, tick: Date, query: Pick<Queryable, 'query'>): Promise<boolean> {
    const { rows } = await query.query(this.#sql.advance, [this.#settings.queue, schedule, tick])
    return rows.length > 0
  }

  async lastTick(schedule: string): Promise<Date | undefined> {
    const { rows } = await this.#own.query<{ tick: Date }>(this.#sql.lastTick, [this.#settings.queue, schedule])
    return rows[0]?.tick
  }

  #claimBestFor(names: number): string {
    const known = this.#claimBest.get(names)
    if (known !== undefined) return known
    const sql = claimBest(this.#database.dialect, names)
    this.#claimBest.set(names, sql)
    return sql
  }

  /** The same, for the few that every task needs. */
  get #fixed(): Pick<Queryable, 'query'> {
    const { deadlineMs } = this.#settings
    return { query: (sql, parameters) => this.#database.query(sql, parameters, { deadlineMs, isFixed: true }) }
  }

  /** For claims: a crash of the machine ends their attempts too, and then the task is ready again. */
  get #unhurried(): StatementOptions {
    return { deadlineMs: this.#settings.deadlineMs, isFixed: true, mayBeUndone: true }
  }

  /** Statements that commit by themselves. */
  get #own(): Pick<Queryable, 'query'> {
    const { deadlineMs } = this.#settings
    return { query: (sql, parameters) => this.#database.query(sql, parameters, { deadlineMs }) }
  }
}

/** Whoever stores the same keys in another order at the same time would wait for us, and we for him. */
function inOneOrder(tasks: readonly NewTask[]): readonly NewTask[] {
  if (tasks.length < 2 || !tasks.some(hasKey)) return tasks
  return tasks.toSorted((one, other) => (keysOf(one) < keysOf(other) ? -1 : 1))
}

function keysOf({ uniqueKey, idempotencyKey }: NewTask): string {
  return `${uniqueKey ?? ''}\0${idempotencyKey ?? ''}`
}
