/**
 * Where evidence comes from. Each source is asked once, whatever number of checks needs it, and may build on others.
 */
import type { Clock } from '../../../clock.ts'
import type { Address, Endpoint } from '../../../link/index.ts'
import type { Evidence } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import type { Target } from '../../targets.ts'
import type { Server } from '../server.ts'
import type { HostValues } from './host-values.ts'
import type { Purpose, ServerValues } from './server-values.ts'

/** Every piece of evidence, by its name. */
export interface EvidenceValues extends ServerValues, HostValues {}

export type EvidenceName = keyof EvidenceValues

/** What the user tells about the place; each is found by itself when it is not told. */
export interface Hints {
  /** Path of redis.conf. */
  readonly redisConf?: string | undefined
  /** Name of the systemd unit, such as `redis-server`. */
  readonly unit?: string | undefined
  /** Compose files of the application. */
  readonly composeFiles?: readonly string[]
  /** `.env` files of the application. */
  readonly envFiles?: readonly string[]
  /** What the data is for. */
  readonly purposes?: readonly DeclaredPurpose[]
}

/** `cache=db0` or `queue=bull:*` or, for all there is, `cache`. */
export interface DeclaredPurpose {
  readonly purpose: Purpose
  readonly database: number | undefined
  /** What the keys begin with; undefined: every key of the database. */
  readonly prefix: string | undefined
}

export interface EvidenceContext {
  readonly target: Extract<Target, { kind: 'redis' }>
  readonly server: Server
  /** Another server, such as a replica: a connection of its own, closed when the examination ends. */
  readonly serverAt: ServerAt
  readonly host: Host
  readonly hints: Hints
  readonly clock: Clock
  /** What is left of the time for the whole; a source that takes longer is given up. */
  readonly remainingMs: number
  /** Another piece of evidence; sources must not go round in circles. */
  readonly evidence: <Name extends EvidenceName>(name: Name) => Promise<Evidence<EvidenceValues[Name]>>
}

export type ServerAt = (address: Address, options: ServerAtOptions) => Server

export interface ServerAtOptions {
  /** After it the server counts as unreachable. */
  readonly withinMs: number
  /** @default those of the server itself */
  readonly credentials?: Pick<Endpoint, 'username' | 'password'>
}

export interface EvidenceSource<Value> {
  /** What is read, for people: `INFO`, `/proc/net/tcp`. */
  readonly reads: string
  /** Commands that a user of the server must be allowed for it, in the words of an ACL, such as `config|get`. */
  readonly commands?: readonly string[]
  readonly collect: (context: EvidenceContext) => Promise<Evidence<Value>>
}

/** One source for each of these names. */
export type Sources<Values> = { readonly [Name in keyof Values]: EvidenceSource<Values[Name]> }
