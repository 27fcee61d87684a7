/**
 * The statements on the table of the tasks, for one engine. Lists travel as one JSON parameter, so that a statement for a
 * hundred tasks is the same text, and the same single round trip and commit, as a statement for one.
 */
import type { Dialect } from '../../database/index.ts'
import { heldBy } from '../fence.ts'
import { SCHEDULES, TABLE } from './schema.ts'

type ColumnType = 'uuid' | 'text' | 'integer' | 'bigint'

/** A JSON array of objects, in the parameter, as rows: `FROM ${rowsOf(…)} AS e`. */
function rowsOf(dialect: Dialect, parameter: string, columns: Readonly<Record<string, ColumnType>>): string {
  const names = Object.entries(columns)
  if (dialect.engine === 'postgres')
    return `json_to_recordset(${parameter}) AS e(${names.map(([name, type]) => `${name} ${type}`).join(', ')})`
  return `(SELECT ${names.map(([name]) => `value ->> '$.${name}' AS ${name}`).join(', ')} FROM json_each(${parameter})) AS e`
}

/** Text as JSON: SQLite keeps the text. */
function json({ engine }: Dialect, text: string): string {
  return engine === 'postgres' ? `${text}::json` : text
}

/** PostgreSQL wants to know what a parameter is that may be null. */
function textOf({ engine }: Dialect): string {
  return engine === 'postgres' ? '::text' : ''
}

/** Milliseconds from `time` until now, never negative. */
function msSince({ engine, now }: Dialect, time: string): string {
  return engine === 'postgres'
    ? `GREATEST(0, EXTRACT(EPOCH FROM ${now} - ${time}) * 1000)::float8`
    : `max(0, (julianday(${now}) - julianday(${time})) * 86400000.0)`
}

/** The clock, read once a statement: PostgreSQL uses no index for a condition on a function whose value changes. */
function once(now: string): string {
  return `(SELECT ${now})`
}

/**
 * Rows to be changed, chosen once: PostgreSQL could look again while it changes them. SQLite could not, and takes a statement
 * that begins with WITH for a reading one at first.
 */
function chosen({ engine }: Dialect, select: string): { readonly lead: string; readonly ids: string } {
  return engine === 'postgres'
    ? { lead: `WITH picked AS MATERIALIZED (${select}) `, ids: 'SELECT id FROM picked' }
    : { lead: '', ids: select }
}

/**
 * Ready for so long. What is ready and yet to come was stored before the database's clock was set back, by a failover to a slow one
 * perhaps: it is older than anybody can tell.
 */
function isOld(dialect: Dialect, runAt: string, minusMs: string): string {
  const now = once(dialect.now)
  return `(${runAt} <= ${dialect.plusMs(now, minusMs)} OR ${runAt} > ${now})`
}

export interface Statements {
  /** One task, ready at once and without keys: `$1` id, `$2` queue, `$3` name, `$4` payload, `$5` priority, `$6` attempts at most. */
  readonly insertOne: string
  /** `$1` list of tasks, `$2` queue. */
  readonly insert: string
  /** The same, and what is there already under one of its keys stays: fewer ids come back. */
  readonly insertNew: string
  /** `$1` queue, `$2` idempotency key, `$3` unique key. */
  readonly existing: string
  /** `$1` ids, `$2` queue, `$3` names, `$4` at most, `$5` token, `$6` lease in ms, `$7` via, `$8` worker. */
  readonly claimIds: string
  /** `$1` list of attempts, `$2` lease in ms. Returns those that are still held. */
  readonly extend: string
  /** The same for many: waits for no row that is being changed, such as one whose attempt ends; those come back not renewed. */
  readonly extendMany: string
  /** `$1` list of ends, `$2` how long the cancelled are kept in ms. Returns those that were accepted, and what became of the tasks. */
  readonly end: string
  /** `$1` queue, `$2` names, `$3` minus the grace in ms. */
  readonly peek: string
  /** The same parameters: a row when any of the names has a ready task. */
  readonly anyReady: string
  /** `$1` queue, `$2` at most, `$3` how long the dead are kept in ms, `$4` how long the cancelled. */
  readonly expire: string
  /** `$1` queue, `$2` at most. */
  readonly promote: string
  /** `$1` at most. */
  readonly prune: string
  /** `$1` queue. */
  readonly counts: string
  /** `$1` id, `$2` queue, `$3` kept in ms. */
  readonly cancel: string
  /** `$1` queue, `$2` at most, `$3` id or null, `$4` name or null. */
  readonly redrive: string
  /** `$1` ids, `$2` queue. Returns those that were changed, and their states. */
  readonly await: string
  /** `$1` queue, `$2` schedule, `$3` tick. Returns a row when nobody else was first. */
  readonly advance: string
  /** `$1` queue, `$2` schedule. */
  readonly lastTick: string
  /** `$1` queue, `$2` names, `$3` minus the age in ms, `$4` at most, `$5` the id after which to begin, or null. */
  readonly lying: string
}

export const COLUMNS =
  'id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at, started_at, finished_at, ' +
  'via, worker, progress, result, error, cancel_requested, unique_key, idempotency_key'

export function statementsFor(dialect: Dialect): Statements {
  return {
    ...inserts(dialect),
    claimIds: claimIds(dialect),
    ...extend(dialect),
    end: end(dialect),
    ...sweeps(dialect),
    ...operations(dialect),
    ...ticks,
  }
}

const NEW_TASK = {
  id: 'uuid',
  name: 'text',
  payload: 'text',
  priority: 'integer',
  max_attempts: 'integer',
  delay_ms: 'bigint',
  run_at: 'text',
  unique_key: 'text',
  idempotency_key: 'text',
} as const

function inserts(dialect: Dialect): Pick<Statements, 'insertOne' | 'insert' | 'insertNew' | 'existing'> {
  const { now } = dialect
  const absolute = dialect.engine === 'postgres' ? 'e.run_at::timestamptz' : 'e.run_at'
  const runAt = `CASE WHEN e.run_at IS NOT NULL THEN ${absolute} WHEN e.delay_ms > 0 THEN ${dialect.plusMs(now, 'e.delay_ms')} ELSE ${now} END`
  const into = `INSERT INTO ${TABLE}
      (id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at, unique_key, idempotency_key)`
  // A list costs as much again as the row itself, and most calls bring one task.
  const insertOne = `${into} VALUES ($1, $2, $3, 'ready', $4, $5, 0, $6, ${now}, ${now}, NULL, NULL)`
  const body = `${into}
    SELECT e.id, $2, e.name, CASE WHEN ${runAt} > ${now} THEN 'scheduled' ELSE 'ready' END, ${json(dialect, 'e.payload')},
      e.priority, 0, e.max_attempts, ${runAt}, ${now}, e.unique_key, e.idempotency_key
    FROM ${rowsOf(dialect, '$1', NEW_TASK)}`
  // SQLite would take ON for the beginning of a join condition.
  const insertNew = `${body} WHERE TRUE ON CONFLICT DO NOTHING RETURNING id`
  const existing = `SELECT id FROM ${TABLE}
    WHERE queue = $1 AND idempotency_key = $2
    UNION ALL SELECT id FROM ${TABLE}
    WHERE queue = $1 AND unique_key = $3 AND state IN ('scheduled', 'ready', 'running')`
  return { insertOne, insert: `${body} WHERE TRUE RETURNING id`, insertNew, existing }
}

function claimed(dialect: Dialect): string {
  return `RETURNING id, name, payload, priority, attempt, max_attempts, ${msSince(dialect, 'run_at')} AS waited_ms`
}

type TakeParameters = readonly [token: string, lease: string, via: string, worker: string]

function take(dialect: Dialect, select: string, [token, lease, via, worker]: TakeParameters): string {
  const { now } = dialect
  const { lead, ids } = chosen(dialect, select)
  return `${lead}UPDATE ${TABLE}
    SET state = 'running', attempt = attempt + 1, lease_token = ${token}, lease_until = ${dialect.plusMs(now, lease)},
      started_at = ${now}, via = ${via}, worker = ${worker}
    WHERE id IN (${ids})${unhurried(dialect)} ${claimed(dialect)}`
}

/**
 * The commit of a claim does not wait for the disk. When the server crashes within the next half second the claim may be undone:
 * the task is ready again, as after a lost lease, and the token keeps the first worker from ending it.
 */
function unhurried({ engine }: Dialect): string {
  return engine === 'postgres' ? ` AND (SELECT set_config('synchronous_commit', 'off', TRUE)) = 'off'` : ''
}

function claimIds(dialect: Dialect): string {
  const select = `SELECT id FROM ${TABLE}
    WHERE ${dialect.oneOf('id', '$1')} AND queue = $2 AND ${dialect.oneOf('name', '$3')} AND state = 'ready'
    LIMIT $4 ${dialect.forUpdateSkipLocked}`
  return take(dialect, select, ['$5', '$6', '$7', '$8'])
}

/**
 * The best tasks of some names, each name with a limit of its own: one short index scan per name, so that a crowd of tasks
 * which may not start now is never read.
 *
 *     $1 queue  $2 at most  $3 token  $4 lease in ms  $5 via  $6 worker  $7 minus the grace in ms  then for each name: name, limit
 */
export function claimBest(dialect: Dialect, names: number): string {
  const old = isOld(dialect, 'run_at', '$7')
  const arms = Array.from({ length: names }, (_, index) => {
    const [name, limit] = [`$${8 + 2 * index}`, `$${9 + 2 * index}`]
    return `SELECT * FROM (SELECT id, priority FROM ${TABLE}
      WHERE queue = $1 AND name = ${name} AND state = 'ready' AND ${old}
      ORDER BY priority DESC, id LIMIT ${limit} ${dialect.forUpdateSkipLocked}) AS arm${index}`
  })
  const select = `SELECT id FROM (${arms.join('\n UNION ALL ')}) AS candidates ORDER BY priority DESC, id LIMIT $2`
  return take(dialect, select, ['$3', '$4', '$5', '$6'])
}

const ATTEMPT = { task_id: 'uuid', token: 'uuid', was_attempt: 'integer' } as const

/**
 * Whoever waits for one row while he has locked others may wait for somebody who waits for these: PostgreSQL ends one of the two
 * after a second. Ends lock rows in whatever order a plan brings, so many leases are renewed without waiting. SQLite has one writer.
 */
function extend(dialect: Dialect): Pick<Statements, 'extend' | 'extendMany'> {
  const rows = rowsOf(dialect, '$1', { ...ATTEMPT, new_progress: 'text' })
  const renew = `UPDATE ${TABLE} AS t
    SET lease_until = ${dialect.plusMs(dialect.now, '$2')},
      progress = CASE WHEN e.new_progress IS NULL THEN progress ELSE ${json(dialect, 'e.new_progress')} END
    FROM ${rows}`
  const alone = `${renew} WHERE ${heldBy('t', 'e')} RETURNING id, cancel_requested, TRUE AS renewed`
  if (dialect.engine === 'sqlite') return { extend: alone, extendMany: alone }
  const held = `FROM ${TABLE} AS t, ${rows} WHERE ${heldBy('t', 'e')}`
  const extendMany = `WITH free AS MATERIALIZED (SELECT t.id ${held} FOR UPDATE OF t SKIP LOCKED),
    renewed AS (${renew} WHERE t.id = e.task_id AND t.id IN (SELECT id FROM free) RETURNING t.id)
    SELECT t.id, t.cancel_requested, t.id IN (SELECT id FROM renewed) AS renewed ${held}`
  return { extend: alone, extendMany }
}

const END = {
  ...ATTEMPT,
  new_state: 'text',
  new_result: 'text',
  new_error: 'text',
  delay_ms: 'bigint',
  keep_ms: 'bigint',
  give_back: 'integer',
} as const

/** Whoever was to be cancelled and did not get done in spite of it is cancelled: it is neither tried again nor dead. */
function end(dialect: Dialect): string {
  const { now } = dialect
  const cancelled = `cancel_requested AND e.new_state <> 'done'`
  return `UPDATE ${TABLE} AS t
    SET state = CASE WHEN ${cancelled} THEN 'cancelled' ELSE e.new_state END, lease_token = NULL, lease_until = NULL,
      result = ${json(dialect, 'e.new_result')},
      error = CASE WHEN e.give_back = 1 THEN error ELSE e.new_error END,
      attempt = attempt - e.give_back,
      run_at = CASE WHEN e.delay_ms IS NULL THEN run_at ELSE ${dialect.plusMs(now, 'e.delay_ms')} END,
      finished_at = CASE WHEN e.keep_ms IS NOT NULL OR ${cancelled} THEN ${now} END,
      keep_until = CASE WHEN ${cancelled} THEN ${dialect.plusMs(now, '$2')}
        WHEN e.keep_ms IS NOT NULL THEN ${dialect.plusMs(now, 'e.keep_ms')} END
    FROM ${rowsOf(dialect, '$1', END)}
    WHERE ${heldBy('t', 'e')} RETURNING id, awaited, state`
}

function sweeps(
  dialect: Dialect,
): Pick<Statements, 'peek' | 'anyReady' | 'expire' | 'promote' | 'prune' | 'counts' | 'lying'> {
  const { now, forUpdateSkipLocked } = dialect
  const count = (state: string): string =>
    `SELECT '${state}' AS state, count(*) AS tasks, ${msSince(dialect, 'min(run_at)')} AS oldest_ms
      FROM ${TABLE} WHERE queue = $1 AND state = '${state}'`
  const overdue = chosen(
    dialect,
    `SELECT id FROM ${TABLE} WHERE queue = $1 AND state = 'running' AND lease_until < ${once(now)}
      LIMIT $2 ${forUpdateSkipLocked}`,
  )
  const due = chosen(
    dialect,
    `SELECT id FROM ${TABLE} WHERE queue = $1 AND state = 'scheduled' AND run_at <= ${once(now)}
      ORDER BY run_at LIMIT $2 ${forUpdateSkipLocked}`,
  )
  const old = chosen(dialect, `SELECT id FROM ${TABLE} WHERE keep_until < ${once(now)} LIMIT $1 ${forUpdateSkipLocked}`)
  return {
    peek: `SELECT ${now} AS at,
      (SELECT min(lease_until) FROM ${TABLE} WHERE queue = $1 AND state = 'running') AS lease_until,
      (SELECT min(run_at) FROM ${TABLE} WHERE queue = $1 AND state = 'scheduled') AS scheduled_at,
      (SELECT min(keep_until) FROM ${TABLE} WHERE keep_until IS NOT NULL) AS keep_until,
      (${anyReady(dialect)}) AS ready`,
    anyReady: `SELECT 1 AS one WHERE (${anyReady(dialect)}) > 0`,
    expire: `${overdue.lead}UPDATE ${TABLE}
      SET state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempt >= max_attempts THEN 'dead' ELSE 'ready' END,
        error = 'The lease of attempt ' || attempt || ' ran out: its process was killed, frozen or cut off.',
        lease_token = NULL, lease_until = NULL,
        finished_at = CASE WHEN cancel_requested OR attempt >= max_attempts THEN ${now} END,
        keep_until = CASE WHEN cancel_requested THEN ${dialect.plusMs(now, '$4')}
          WHEN attempt >= max_attempts THEN ${dialect.plusMs(now, '$3')} END
      WHERE id IN (${overdue.ids}) RETURNING id, name, state, attempt, worker`,
    promote: `${due.lead}UPDATE ${TABLE} SET state = 'ready' WHERE id IN (${due.ids})`,
    lying: `SELECT id, name FROM ${TABLE} WHERE queue = $1 AND ${dialect.oneOf('name', '$2')} AND state = 'ready'
      AND ${isOld(dialect, 'run_at', '$3')} AND ($5${textOf(dialect)} IS NULL OR id > $5${dialect.engine === 'postgres' ? '::text::uuid' : ''}) ORDER BY id LIMIT $4`,
    prune: `${old.lead}DELETE FROM ${TABLE} WHERE id IN (${old.ids})`,
    counts: ['scheduled', 'ready', 'running', 'dead'].map(count).join(' UNION ALL '),
  }
}

/**
 * How many of the names have a ready task: one look into the index per name. Without ORDER BY, statistics that are out of date
 * could make PostgreSQL look through the whole table.
 */
function anyReady(dialect: Dialect): string {
  const first = (name: string): string => `SELECT 1 AS one FROM ${TABLE} AS t
    WHERE t.queue = $1 AND t.name = ${name} AND t.state = 'ready' AND ${isOld(dialect, 't.run_at', '$3')}
    ORDER BY t.priority DESC, t.id LIMIT 1`
  return dialect.engine === 'postgres'
    ? `SELECT count(*) FROM unnest($2::text[]) AS known(name) CROSS JOIN LATERAL (${first('known.name')}) AS found`
    : `SELECT count(*) FROM json_each($2) AS known WHERE EXISTS (${first('known.value')})`
}

function operations(dialect: Dialect): Pick<Statements, 'cancel' | 'redrive' | 'await'> {
  const { now } = dialect
  const waiting = `state IN ('scheduled', 'ready')`
  const text = textOf(dialect)
  const isMeant = (row: string): string =>
    `${row}.queue = $1 AND ${row}.state = 'dead' AND ($3${text} IS NULL OR ${row}.id${text} = $3${text})
        AND ($4${text} IS NULL OR ${row}.name = $4${text})`
  // Of those with the same unique key one may be alive: of the dead it is the oldest.
  const dead = chosen(
    dialect,
    `SELECT id FROM ${TABLE} AS dead
      WHERE ${isMeant('dead')}
        AND NOT EXISTS (SELECT 1 FROM ${TABLE} AS other WHERE other.queue = dead.queue
          AND other.unique_key = dead.unique_key AND other.state IN ('scheduled', 'ready', 'running'))
        AND NOT EXISTS (SELECT 1 FROM ${TABLE} AS other WHERE ${isMeant('other')}
          AND other.unique_key = dead.unique_key AND other.id < dead.id)
      ORDER BY id LIMIT $2 ${dialect.engine === 'postgres' ? 'FOR UPDATE OF dead SKIP LOCKED' : ''}`,
  )
  return {
    cancel: `UPDATE ${TABLE}
      SET cancel_requested = TRUE,
        state = CASE WHEN ${waiting} THEN 'cancelled' ELSE state END,
        finished_at = CASE WHEN ${waiting} THEN ${now} END,
        keep_until = CASE WHEN ${waiting} THEN ${dialect.plusMs(now, '$3')} END
      WHERE id = $1 AND queue = $2 AND state IN ('scheduled', 'ready', 'running') RETURNING state`,
    redrive: `${dead.lead}UPDATE ${TABLE}
      SET state = 'ready', attempt = 0, run_at = ${now}, finished_at = NULL, keep_until = NULL, cancel_requested = FALSE
      WHERE id IN (${dead.ids}) RETURNING id`,
    await: `UPDATE ${TABLE} SET awaited = TRUE
      WHERE ${dialect.oneOf('id', '$1')} AND queue = $2 AND NOT awaited AND state IN ('scheduled', 'ready', 'running') RETURNING id, state`,
  }
}

const ticks: Pick<Statements, 'advance' | 'lastTick'> = {
  advance: `INSERT INTO ${SCHEDULES} AS known (queue, schedule, tick) VALUES ($1, $2, $3)
    ON CONFLICT (queue, schedule) DO UPDATE SET tick = excluded.tick WHERE known.tick < excluded.tick RETURNING tick`,
  lastTick: `SELECT tick FROM ${SCHEDULES} WHERE queue = $1 AND schedule = $2`,
}
