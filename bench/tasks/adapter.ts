/**
 * What the benchmark asks of every contender: take a job, hand it to a worker once. How it stores, fetches and completes is its own.
 */

/** Where the servers of one run are. */
export interface Servers {
  readonly redisPort: number
  readonly databaseUrl: string
  /** A directory for contenders that keep a file. */
  readonly directory: string
}

/** What travels with a job: the moment of the call that put it in, so that the worker can say how late it starts. */
export interface Job {
  readonly n: number
  /** Of `monotonicMs()`, which all processes of a machine share. */
  readonly sentAt: number
}

/** Called by the worker when a job starts; the job is done when it returns. */
export type OnJob = (job: Job) => void

export interface WorkerRole {
  readonly concurrency: number
  readonly onJob: OnJob
}

export interface Part {
  readonly servers: Servers
  /** This process works jobs off; left out: it only puts jobs in. */
  readonly worker?: WorkerRole
}

export interface Contender {
  /** Resolves once the contender has promised to run the job. */
  enqueue(job: Job): Promise<void>
  /** Stores an order's row, and its job with it as safely as the contender can. */
  order(job: Job): Promise<void>
  close(): Promise<void> | void
}

export interface Adapter {
  readonly name: string
  /** Producer and worker share one process, which is how an embedded store is used. @default false */
  readonly oneProcess?: boolean
  /** Whether a Redis takes part, so that the scenes without one mean something. @default false */
  readonly usesRedis?: boolean
  /** Takes part here alone: a second set of options for the outages, a yardstick for the latency. @default everywhere */
  readonly only?: 'outages' | 'latency'
  /** Makes what the first user would find missing: schema, queue. */
  prepare?(servers: Servers): Promise<void>
  open(part: Part): Promise<Contender>
}

/** How many connections to PostgreSQL a contender may hold in one process: the default of `evenkeel/database`. */
export const POOL = 10

/** Comparable between the processes of one machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
