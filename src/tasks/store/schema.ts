/**
 * The table of the tasks. Its indexes are partial: what they cover is what waits and what runs, so that claims cost the
 * same beside millions of finished rows.
 */
import type { Dialect, Migration } from '../../database/index.ts'

export const TABLE = 'evenkeel_tasks'
export const SCHEDULES = 'evenkeel_schedules'

export const migrations: readonly Migration[] = [
  {
    id: '001-tasks',
    sql: (dialect) => {
      const uuid = dialect.engine === 'postgres' ? 'UUID' : 'TEXT'
      return `
        CREATE TABLE ${TABLE} (
          id ${uuid} NOT NULL PRIMARY KEY,
          queue TEXT NOT NULL,
          name TEXT NOT NULL,
          state TEXT NOT NULL,
          payload JSON NOT NULL,
          priority INTEGER NOT NULL,
          attempt INTEGER NOT NULL,
          max_attempts INTEGER NOT NULL,
          run_at TIMESTAMPTZ NOT NULL,
          created_at TIMESTAMPTZ NOT NULL,
          started_at TIMESTAMPTZ,
          finished_at TIMESTAMPTZ,
          keep_until TIMESTAMPTZ,
          lease_token ${uuid},
          lease_until TIMESTAMPTZ,
          via TEXT,
          worker TEXT,
          progress JSON,
          result JSON,
          error TEXT,
          cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
          awaited BOOLEAN NOT NULL DEFAULT FALSE,
          unique_key TEXT,
          idempotency_key TEXT
        )${storage(dialect)};
        CREATE INDEX ${TABLE}_ready ON ${TABLE} (queue, name, priority DESC, id) WHERE state = 'ready';
        CREATE INDEX ${TABLE}_scheduled ON ${TABLE} (queue, run_at) WHERE state = 'scheduled';
        CREATE INDEX ${TABLE}_running ON ${TABLE} (queue, lease_until) WHERE state = 'running';
        CREATE INDEX ${TABLE}_dead ON ${TABLE} (queue, id) WHERE state = 'dead';
        CREATE INDEX ${TABLE}_kept ON ${TABLE} (keep_until) WHERE keep_until IS NOT NULL;
        CREATE UNIQUE INDEX ${TABLE}_unique ON ${TABLE} (queue, unique_key)
          WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'ready', 'running');
        CREATE UNIQUE INDEX ${TABLE}_idempotent ON ${TABLE} (queue, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE TABLE ${SCHEDULES} (
          queue TEXT NOT NULL,
          schedule TEXT NOT NULL,
          tick TIMESTAMPTZ NOT NULL,
          PRIMARY KEY (queue, schedule)
        )`
    },
  },
  {
    id: '002-dead-keys',
    sql: `CREATE INDEX ${TABLE}_dead_unique ON ${TABLE} (queue, unique_key, id)
      WHERE state = 'dead' AND unique_key IS NOT NULL`,
  },
]

/** Each task leaves two dead versions of its row behind: they are cleared away by their number, not by their share of the table. */
function storage({ engine }: Dialect): string {
  return engine === 'postgres'
    ? ' WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_analyze_scale_factor = 0.05)'
    : ''
}
