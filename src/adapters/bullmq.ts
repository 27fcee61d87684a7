/**
 * BullMQ as the way of tasks to workers: the row is the task, a job carries its id, and the end of an attempt stays fenced.
 *
 *     const connection = new Redis({ maxRetriesPerRequest: null })
 *     const queue = new Queue('tasks', { connection })
 *     const tasks = keel.tasks({ executeOrder: { run: executeOrder, outlet: bullmqOutlet(queue, connection) } })
 *     const worker = new Worker('tasks', bullmqProcessor(tasks), { connection, concurrency: 20 })
 *     await closeBullmq(worker, { connection })              // after tasks.close(); never waits for Redis
 */
import { setTimeout as pause } from 'node:timers/promises'
import { EvenkeelError } from '../errors.ts'
import type { TaskOutlet, Tasks } from '../tasks/index.ts'

/** The part of ioredis that is asked whether a call would wait. */
export interface BullmqConnection {
  readonly status: string
  disconnect(): void
}

/** The part of BullMQ's `Queue` that is used. */
export interface BullmqQueue {
  addBulk(jobs: BullmqJobRequest[]): Promise<unknown>
}

export interface BullmqJobRequest {
  readonly name: string
  readonly data: { readonly id: string }
  readonly opts: { readonly jobId: string; readonly removeOnComplete: boolean; readonly removeOnFail: boolean }
}

/** The part of BullMQ's `Job` that is used. */
export interface BullmqJob {
  readonly data: { readonly id: string }
}

/** The part of BullMQ's `Worker` or `Queue` that is closed. */
export interface BullmqCloseable {
  close(force?: boolean): Promise<void>
  disconnect(): Promise<void>
}

export interface BullmqOutletOptions {
  /** Jobs whose `add` has not been answered, at most: a Redis that is frozen must not fill the memory. @default 1000 */
  readonly maxPending?: number
}

export interface CloseBullmqOptions {
  /** The connection that was handed to BullMQ; it is ended. */
  readonly connection: BullmqConnection
  /** How long the close may take while Redis answers. @default 5000 */
  readonly graceMs?: number
}

/**
 * The outlet of a task definition. `connection` is the queue's own: BullMQ's `add` waits without end while it is not ready, so
 * it is not called then. A job is removed when it ends: BullMQ passes over a job whose id it still keeps, and the table of
 * the tasks knows what became of it.
 */
export function bullmqOutlet(
  queue: BullmqQueue,
  connection: Pick<BullmqConnection, 'status'>,
  { maxPending = 1000 }: BullmqOutletOptions = {},
): TaskOutlet {
  let pending = 0
  return {
    name: 'BullMQ',
    async offer(tasks, deadlineMs) {
      if (connection.status !== 'ready') throw refusal(`its connection to Redis is '${connection.status}'`)
      if (pending >= maxPending) throw refusal(`${pending} jobs wait for an answer of Redis`)
      const jobs = tasks.map(({ id, name }) => ({
        name,
        data: { id },
        opts: { jobId: id, removeOnComplete: true, removeOnFail: true },
      }))
      pending += jobs.length
      const added = queue.addBulk(jobs).finally(() => {
        pending -= jobs.length
      })
      // It may run all the same, later: whoever gets the job then finds that the task is over.
      if (!(await within(added, deadlineMs))) throw refusal(`no answer within ${deadlineMs} ms`)
    },
  }
}

/**
 * What a BullMQ worker is given to do: claims the task of a job and does it here. Resolves with what became of the attempt,
 * `over` when somebody else had it; rejects when it failed, so that BullMQ's own events and metrics tell the truth.
 * When it is tried again is the table's matter, so BullMQ's `attempts` stays at 1.
 */
export function bullmqProcessor(tasks: Pick<Tasks, 'run'>): (job: BullmqJob) => Promise<string> {
  return async ({ data }) => {
    const outcome = await tasks.run(data.id)
    if (outcome === 'failed' || outcome === 'dead')
      throw new EvenkeelError('TASK_FAILED', `The attempt at task ${data.id} ended as '${outcome}'; its row says why.`)
    return outcome
  }
}

/** Closes a BullMQ worker or queue; BullMQ's own `close()` never comes back while Redis is away. Call `tasks.close()` before. */
export async function closeBullmq(
  closeable: BullmqCloseable,
  { connection, graceMs = 5000 }: CloseBullmqOptions,
): Promise<void> {
  const isReady = connection.status === 'ready'
  await within(closeable.close(!isReady), isReady ? graceMs : Math.min(graceMs, 100))
  connection.disconnect()
  await within(closeable.disconnect(), Math.min(graceMs, 100))
}

function refusal(text: string): EvenkeelError {
  return new EvenkeelError('TASK_OUTLET', text)
}

/** False when it took too long; what becomes of it then is of no interest any more. */
async function within(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const limit = new AbortController()
  work.catch(() => 'told to whoever waits, if somebody does')
  try {
    return await Promise.race([work.then(() => true), pause(limitMs, false, { signal: limit.signal, ref: false })])
  } finally {
    limit.abort()
  }
}
