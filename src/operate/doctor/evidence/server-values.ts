/** What is known of the server, in the shapes that the checks read. */
import type { Diagnosis } from '../../diagnosis.ts'

/** Names and values as the server writes them: the fields of INFO, the settings of CONFIG GET. */
export type Fields = ReadonlyMap<string, string>

export interface ServerValues {
  /** What `evenkeel check` says: can we be served? */
  readonly diagnosis: Diagnosis
  /** Every field of `INFO everything`, such as `used_memory`. */
  readonly info: Fields
  /** INFO twice, a moment apart: what grows now, and not only since the start. */
  readonly trend: Trend
  /** Every setting of `CONFIG GET *`; passwords among them: they must not get into an outcome. */
  readonly config: Fields
  readonly users: readonly AclUser[]
  /** Denials that the server remembers, newest first. */
  readonly denials: readonly Denial[]
  /** One entry for each connection: `addr`, `name`, `idle`, `cmd`, `omem` …; at most `MAX_CLIENTS` of them. */
  readonly clients: readonly Fields[]
  readonly slowlog: readonly SlowCommand[]
  readonly latency: readonly LatencyEvent[]
  /** Fields of MEMORY STATS, such as `overhead.total`. */
  readonly memoryStats: Fields
  /** Some keys of every database, taken by SCAN within a bound. */
  readonly keys: KeySample
  readonly purposes: Purposes
  readonly queues: readonly QueueFacts[]
  readonly certificate: CertificateFacts
  /** This server and those that it replicates from or to. */
  readonly nodes: readonly NodeFacts[]
  readonly sentinels: readonly SentinelFacts[]
  /** Fields of CLUSTER INFO. */
  readonly cluster: Fields
  readonly clusterNodes: readonly ClusterNode[]
  /** Wall-clock milliseconds since 1970, here. */
  readonly now: number
}

export interface Trend {
  readonly before: Fields
  readonly after: Fields
  readonly seconds: number
}

export interface AclUser {
  readonly name: string
  readonly enabled: boolean
  readonly needsPassword: boolean
  /** SHA-256 in hex. */
  readonly passwordHashes: readonly string[]
  /** The rules about commands, such as `+@all -debug`. */
  readonly commands: readonly string[]
  readonly keys: readonly string[]
}

export interface Denial {
  /** `auth`, `command`, `key` or `channel`. */
  readonly reason: string
  readonly user: string
  readonly count: number
  readonly secondsAgo: number
}

export interface SlowCommand {
  /** The command without its arguments, which hold data. */
  readonly command: string
  readonly arguments: number
  readonly ms: number
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
}

export interface LatencyEvent {
  readonly event: string
  readonly latestMs: number
  readonly maxMs: number
}

export interface KeySample {
  readonly databases: readonly DatabaseSample[]
}

export interface DatabaseSample {
  readonly database: number
  /** All there are, and those with a time to live. */
  readonly keys: number
  readonly expires: number
  readonly sampled: readonly SampledKey[]
}

export interface SampledKey {
  /** May hold a secret, as the id of a session does: an outcome shows its `shapeOf()`. */
  readonly name: string
  readonly type: string
  /** Milliseconds; undefined: for ever. */
  readonly ttlMs: number | undefined
  readonly bytes: number
  /** Members, fields or items; known of those that take much memory. */
  readonly length: number | undefined
}

/** What data in Redis may be for. */
export const PURPOSES = ['cache', 'sessions', 'limits', 'queue', 'results', 'events', 'checkpoints'] as const

export type Purpose = (typeof PURPOSES)[number]

export interface Purposes {
  /** `declared` by the user, else `detected` from what the keys are called. */
  readonly source: 'declared' | 'detected'
  readonly uses: readonly Use[]
}

export interface Use {
  readonly purpose: Purpose
  /** Such as `db1` or `db0 bull:*`. */
  readonly where: string
  /** Keys of the sample that belong to it, and those of them that have a time to live. */
  readonly sampled: number
  readonly expiring: number
}

export interface QueueFacts {
  readonly kind: 'celery' | 'bullmq'
  readonly name: string
  readonly database: number
  readonly waiting: number
  /** Taken by a worker and not finished: `active` of BullMQ, `unacked` of Celery. */
  readonly taken: number
  /** Of Celery: taken longer ago than the visibility timeout of one hour. */
  readonly overdue: number
  readonly delayed: number
  readonly completed: number
  readonly failed: number
}

export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  /** Wall-clock milliseconds since 1970. */
  readonly expiresAt: number
}

export interface NodeFacts {
  /** `host:port`, as it is announced. */
  readonly place: string
  /** Undefined: it let us in. */
  readonly unreached: string | undefined
  /** The fields of INFO, and the settings of CONFIG GET that are about replication; empty where it did not tell. */
  readonly info: Fields
  readonly config: Fields
}

export interface SentinelFacts {
  readonly place: string
  /** Undefined: it answered. */
  readonly unreached: string | undefined
  /** Where it says that the master is. */
  readonly master: string | undefined
  /** Fields of SENTINEL MASTER: `quorum`, `flags`, `down-after-milliseconds` … */
  readonly fields: Fields
  /** Other sentinels that it knows, and replicas: `host:port`. */
  readonly others: readonly string[]
  readonly replicas: readonly string[]
  /** What SENTINEL CKQUORUM said. */
  readonly quorum: string
  /** What SENTINEL FLUSHCONFIG said: `OK`, or why its state is not kept. */
  readonly flushed: string
}

export interface ClusterNode {
  readonly id: string
  readonly place: string
  readonly flags: readonly string[]
  /** Of a replica: the id of its master. */
  readonly master: string | undefined
  readonly connected: boolean
  /** Slots that it serves. */
  readonly slots: number
}
