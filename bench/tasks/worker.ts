/** The worker's process: works jobs off for one contender and tells the benchmark, in batches, when each one started. */
import { monotonicMs, type Servers } from './adapter.ts'
import { adapterNamed } from './contenders.ts'

/** What the process is started with. */
export interface WorkerOrder {
  readonly adapter: string
  readonly servers: Servers
  readonly concurrency: number
}

/** Number of the job, the moment it was put in and the moment it started. */
export type Start = readonly [n: number, sentAt: number, startedAt: number]

const TELL_EVERY_MS = 25

process.once('message', (order: WorkerOrder) => void work(order))
// Without this the loss of the benchmark's process would leave a worker behind.
process.once('disconnect', () => process.exit())

async function work({ adapter, servers, concurrency }: WorkerOrder): Promise<void> {
  let starts: Start[] = []
  const onJob = ({ n, sentAt }: { n: number; sentAt: number }): void => {
    starts.push([n, sentAt, monotonicMs()])
  }
  await adapterNamed(adapter).open({ servers, worker: { concurrency, onJob } })
  setInterval(() => {
    if (starts.length > 0) process.send?.(starts)
    starts = []
  }, TELL_EVERY_MS)
  process.send?.('ready')
}
