/**
 * What a redis.conf says about memory, eviction and persistence, by what the data is for. One instance has one policy:
 * what may be thrown away and what may not belong into two.
 */
import type { Reasoned } from '../plan.ts'

export const DATA_ROLES = ['cache', 'queue', 'sessions', 'store', 'mixed'] as const
/** `store`: results, checkpoints, whatever is the only copy. `mixed`: all of it in one instance. */
export type DataRole = (typeof DATA_ROLES)[number]

/** One directive; several values are several lines of the same name. */
export interface Setting {
  readonly name: string
  readonly values: readonly string[]
  readonly why: string
}

export interface SettingOptions {
  readonly role: DataRole
  /** What the machine or the container gives Redis, in bytes. */
  readonly memoryBytes: number
  /** It has replicas, and sentinels over them. @default false */
  readonly replicated?: boolean
}

const MB = 1024 ** 2

/** @returns in the order in which a reader wants them */
export function settingsFor({ role, memoryBytes, replicated = false }: SettingOptions): readonly Setting[] {
  return [
    ...memory(role, memoryBytes),
    ...(role === 'cache' ? VOLATILE : DURABLE),
    ...(replicated ? REPLICATED : []),
    ...WATCHED,
  ]
}

/** Of the memory: a fork copies every page that is written to while it saves. */
const SHARE = { volatile: 0.75, durable: 0.6 }

/** Whole megabytes. */
export function maxMemoryMb(role: DataRole, memoryBytes: number): number {
  return Math.floor((memoryBytes * (role === 'cache' ? SHARE.volatile : SHARE.durable)) / MB)
}

function memory(role: DataRole, memoryBytes: number): readonly Setting[] {
  const limit = `${Math.floor(memoryBytes / MB)} MB`
  const why =
    role === 'cache'
      ? `75 % of ${limit}: the rest is for clients' buffers and fragmentation. Without it the kernel kills Redis instead.`
      : `60 % of ${limit}: while a snapshot or an AOF rewrite runs, every page that is written to exists twice. Without it the kernel kills Redis instead.`
  const policy = POLICIES[role]
  return [
    { name: 'maxmemory', values: [`${maxMemoryMb(role, memoryBytes)}mb`], why },
    { name: 'maxmemory-policy', values: [policy.name], why: policy.why },
  ]
}

/** The figures: 20 MB, 40 jobs, 2,000 sessions with a time to live, then a burst of 40,000 cache keys of 1 kB, Redis 7.0.15. */
const POLICIES: Readonly<Record<DataRole, { readonly name: string; readonly why: string }>> = {
  cache: {
    name: 'allkeys-lfu',
    why: 'A full cache throws away what is least used. Nothing else may live in this instance: in a shared one allkeys-lru threw away 38 of 40 queued jobs and 1,755 of 2,000 sessions, and not one write failed.',
  },
  queue: {
    name: 'noeviction',
    why: 'A job is never thrown away: a full queue refuses writes, which is seen at once (OOM).',
  },
  sessions: {
    name: 'volatile-ttl',
    why: 'Sessions that are about to end go first: a full instance goes on logging people in.',
  },
  store: {
    name: 'noeviction',
    why: 'What is the only copy is never thrown away: a full store refuses writes, which is seen at once (OOM).',
  },
  mixed: {
    name: 'volatile-ttl',
    why: 'The least bad for one instance with everything: of 40 jobs and 2,000 sessions all survived a burst of cache keys that live shorter; volatile-lru kept 17 sessions, allkeys-lru 2 jobs. Right are two instances.',
  },
}

const VOLATILE: readonly Setting[] = [
  {
    name: 'save',
    values: ['""'],
    why: 'What can be loaded again needs no snapshots, and no fork that doubles memory.',
  },
  { name: 'appendonly', values: ['no'], why: 'Nor a log.' },
  {
    name: 'lazyfree-lazy-eviction',
    values: ['yes'],
    why: 'Big values are freed beside the main thread: eviction happens in the middle of a write.',
  },
]

const DURABLE: readonly Setting[] = [
  { name: 'appendonly', values: ['yes'], why: 'What was acknowledged survives a restart and a kill.' },
  {
    name: 'appendfsync',
    values: ['everysec'],
    why: 'A machine that loses power loses a second of writes at most; always costs an fsync per write.',
  },
  {
    name: 'no-appendfsync-on-rewrite',
    values: ['no'],
    why: 'With yes nothing is synced while a rewrite runs, which can be minutes. It does not switch the rewrite off, as is often written.',
  },
  {
    name: 'save',
    values: ['3600 1', '300 100', '60 10000'],
    why: 'Snapshots beside the log: small, whole, and what backups are made of.',
  },
  {
    name: 'stop-writes-on-bgsave-error',
    values: ['yes'],
    why: 'A full disk is told to the application (MISCONF) instead of to nobody.',
  },
]

const REPLICATED: readonly Setting[] = [
  {
    name: 'min-replicas-to-write',
    values: ['1'],
    why: 'A master that was replaced and does not know it yet takes no writes. Without this line it took them for 10.1 s and lost 88 of them when it became a replica; with it none.',
  },
  { name: 'min-replicas-max-lag', values: ['10'], why: 'A replica that was not heard of for longer does not count.' },
  {
    name: 'repl-backlog-size',
    values: ['64mb'],
    why: 'A replica that was away for a moment continues where it was instead of copying everything.',
  },
]

const WATCHED: readonly Setting[] = [
  { name: 'latency-monitor-threshold', values: ['100'], why: 'LATENCY DOCTOR says nothing without it. Milliseconds.' },
  {
    name: 'protected-mode',
    values: ['yes'],
    why: 'Without a password Redis answers localhost alone. The password stands in a file of its own.',
  },
]

/** As lines of a new file. */
export function linesOf(settings: readonly Setting[]): readonly Reasoned[] {
  return settings.flatMap(({ name, values, why }) =>
    values.map((value, index) => ({ line: `${name} ${value}`, why: index === 0 ? why : '' })),
  )
}
