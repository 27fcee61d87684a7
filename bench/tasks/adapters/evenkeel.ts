/** Tasks on PostgreSQL and on the embedded database: the row is the task, Redis carries hints. */
import { createEvenkeel, type EvenkeelOptions } from 'evenkeel'
import type { Adapter, Contender, Job, Part, Servers } from '../adapter.ts'
import { AMOUNT, INSERT_ORDER, orderId, ORDERS_TABLE } from '../orders-table.ts'

type Place = (servers: Servers) => Pick<EvenkeelOptions, 'redis' | 'database'>

const redisOf = ({ redisPort }: Servers): string => `redis://127.0.0.1:${redisPort}`

export const evenkeelPostgres: Adapter = {
  name: 'evenkeel, PostgreSQL',
  usesRedis: true,
  open: (part) => open(part, (servers) => ({ redis: redisOf(servers), database: servers.databaseUrl })),
}

export const evenkeelWithoutRedis: Adapter = {
  name: 'evenkeel, PostgreSQL, no Redis',
  open: (part) => open(part, ({ databaseUrl }) => ({ database: databaseUrl })),
}

export const evenkeelSqlite: Adapter = {
  name: 'evenkeel, sqlite, one process',
  oneProcess: true,
  usesRedis: true,
  open: (part) => open(part, (servers) => ({ redis: redisOf(servers), database: { directory: servers.directory } })),
}

export const evenkeelSqliteTwo: Adapter = {
  ...evenkeelSqlite,
  name: 'evenkeel, sqlite, two processes',
  oneProcess: false,
}

async function open({ servers, worker }: Part, place: Place): Promise<Contender> {
  const { concurrency = 10, onJob } = worker ?? {}
  const keel = createEvenkeel({ ...place(servers), logger: false })
  keel.database.migrate('bench', [{ id: '001', sql: ORDERS_TABLE }])
  const tasks = keel.tasks({ job: { run: (job: Job) => onJob?.(job) } }, { worker: worker !== undefined, concurrency })
  await keel.start()
  await keel.database.ready()
  if (keel.link.health.state !== 'isolated') await up(keel.link)
  return {
    async enqueue(job) {
      await tasks.start('job', job)
    },
    order: (job) =>
      keel.database.transaction(async (tx) => {
        await tx.query(INSERT_ORDER, [orderId(), AMOUNT])
        await tasks.start('job', job, { tx })
      }),
    close: () => keel.close(),
  }
}

async function up(link: ReturnType<typeof createEvenkeel>['link']): Promise<void> {
  if (link.health.state === 'up') return
  await new Promise<void>((resolve) => {
    const stop = link.onHealth(({ state }) => {
      if (state !== 'up') return
      stop()
      resolve()
    })
  })
}
