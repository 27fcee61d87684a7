/**
 * pg-boss, tuned: one fetch takes as many jobs as run at once, NOTIFY wakes the worker, and a full fetch is followed by the
 * next one at once. With `localConcurrency` instead, a backlog drains by one job per worker and poll.
 */
import { PgBoss, type Db, type Job as Fetched } from 'pg-boss'
import type pg from 'pg'
import { POOL, type Adapter, type Contender, type Job, type Part, type Servers } from '../adapter.ts'
import { openPool, orderTogether } from '../orders-table.ts'

const QUEUE = 'bench'

export const pgBoss: Adapter = {
  name: 'pg-boss',
  async prepare(servers) {
    const boss = await start(servers)
    await boss.createQueue(QUEUE, { notify: true })
    await boss.stop({ graceful: false })
  },
  open,
}

async function open({ servers, worker }: Part): Promise<Contender> {
  const boss = await start(servers)
  const pool = await openPool(servers)
  if (worker !== undefined) {
    const { concurrency, onJob } = worker
    const options = { batchSize: concurrency, perJobResults: true, burstWhenBatchFull: true } as const
    await boss.work(QUEUE, options, async (jobs: Fetched<Job>[]) => {
      for (const { data } of jobs) onJob(data)
      return jobs.map(({ id }) => ({ id, status: 'completed' as const }))
    })
  }
  return {
    async enqueue(job) {
      await boss.send(QUEUE, job)
    },
    order: (job) => orderTogether(pool, (client) => boss.send(QUEUE, job, { db: within(client) })),
    async close() {
      await boss.stop({ graceful: false })
      await pool.end()
    },
  }
}

async function start({ databaseUrl }: Servers): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: POOL, useListenNotify: true })
  boss.on('error', (error) => console.error(`pg-boss: ${error.message}`))
  await boss.start()
  return boss
}

function within(client: pg.PoolClient): Db {
  return { executeSql: (text, values) => client.query(text, values) }
}
