/** graphile-worker, tuned as its page on performance says: a local queue, and completions sent in batches without a wait. */
import { Logger, makeWorkerUtils, run, runMigrations, type Runner } from 'graphile-worker'
import { POOL, type Adapter, type Contender, type Job, type Part, type Servers, type WorkerRole } from '../adapter.ts'
import { openPool, orderTogether } from '../orders-table.ts'

const TASK = 'bench'
const logger = new Logger(() => () => undefined)

export const graphileWorker: Adapter = {
  name: 'graphile-worker',
  prepare: ({ databaseUrl }) => runMigrations({ connectionString: databaseUrl, logger }),
  open,
}

async function open({ servers, worker }: Part): Promise<Contender> {
  const utils = await makeWorkerUtils({ connectionString: servers.databaseUrl, maxPoolSize: POOL, logger })
  const pool = await openPool(servers)
  const runner = worker === undefined ? undefined : await work(servers, worker)
  return {
    async enqueue(job) {
      await utils.addJob(TASK, job)
    },
    order: (job) =>
      orderTogether(pool, (client) =>
        client.query('SELECT graphile_worker.add_job($1, $2::json)', [TASK, JSON.stringify(job)]),
      ),
    async close() {
      await runner?.stop()
      await utils.release()
      await pool.end()
    },
  }
}

function work({ databaseUrl }: Servers, { concurrency, onJob }: WorkerRole): Promise<Runner> {
  return run({
    connectionString: databaseUrl,
    maxPoolSize: POOL,
    concurrency,
    logger,
    noHandleSignals: true,
    taskList: { [TASK]: (payload) => onJob(payload as Job) },
    preset: { worker: { localQueue: { size: concurrency + 1 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  })
}
