/**
 * What is found out about an endpoint: layer after layer, up to the first that fails.
 *
 *     name ─▶ tcp ─▶ tls ─▶ login ─▶ role ─▶ database ─▶ ping ─▶ read ─▶ write ─▶ version ─▶ round-trip
 */

/** What is looked at; each kind of endpoint has some of them. */
export type LayerName =
  | 'sentinels'
  | 'name'
  | 'tcp'
  | 'tls'
  | 'login'
  | 'role'
  | 'cluster'
  | 'database'
  | 'ping'
  | 'read'
  | 'write'
  | 'version'
  | 'round-trip'
  | 'http'

/** A fault that was met: what was said, what it means, what to do. */
export interface Finding {
  /** Stable code out of the fault tables, such as `wrong-password`. */
  readonly code: string
  /** The exact words of the server or of the operating system, secrets left out. */
  readonly error: string | undefined
  readonly meaning: string
  readonly nextStep: string
}

export interface Layer {
  readonly name: LayerName
  readonly state: 'ok' | 'warning' | 'failed'
  /** What was seen, in a few words. */
  readonly detail: string
  readonly ms: number
  /** What was seen, for programs: times, version, role. */
  readonly facts: Readonly<Record<string, string | number>>
  /** Why it failed, or what is to be thought of. */
  readonly finding: Finding | undefined
}

/** Everything about one endpoint. Plain data, without secrets. */
export interface Diagnosis {
  readonly kind: 'redis' | 'postgres' | 'http' | 'tcp'
  /** Where it is, for people. */
  readonly place: string
  /** Where its address was read, such as `REDIS_URL`. */
  readonly source: string
  readonly served: boolean
  readonly ms: number
  /** Those that were looked at; when it is not served, the last one failed. */
  readonly layers: readonly Layer[]
}

/** The layer that failed; undefined when the endpoint serves. */
export function failureOf({ layers }: Pick<Diagnosis, 'layers'>): Layer | undefined {
  return layers.find(({ state }) => state === 'failed')
}
