/** Everybody who takes part, in the order of the tables. */
import type { Adapter } from './adapter.ts'
import { bareSteps } from './adapters/bare-steps.ts'
import { bullmq, bullmqFailFast } from './adapters/bullmq.ts'
import { evenkeelPostgres, evenkeelSqlite, evenkeelSqliteTwo, evenkeelWithoutRedis } from './adapters/evenkeel.ts'
import { graphileWorker } from './adapters/graphile-worker.ts'
import { pgBoss } from './adapters/pg-boss.ts'

export const CONTENDERS: readonly Adapter[] = [
  bullmq,
  bullmqFailFast,
  pgBoss,
  graphileWorker,
  evenkeelPostgres,
  evenkeelWithoutRedis,
  evenkeelSqlite,
  evenkeelSqliteTwo,
  bareSteps,
]

export function adapterNamed(name: string): Adapter {
  const found = CONTENDERS.find((adapter) => adapter.name === name)
  if (found === undefined) throw new Error(`Nobody is named '${name}'`)
  return found
}
