/** What one line of a log can be a sign of. */

/** How bad it is that the line was written at all. */
export type SignWeight = 'fail' | 'warn' | 'info'

/** Whose trouble the line tells of. */
export type Service = 'redis' | 'postgres' | 'host'

/** A kind of line, and what follows from it. */
export interface LogSign {
  /** Stable; the id of a check, where one looks for the same thing, or the code of a fault. */
  readonly code: string
  readonly service: Service
  readonly weight: SignWeight
  readonly patterns: readonly RegExp[]
  /** One plain sentence. */
  readonly meaning: string
  readonly nextStep: string
  /** Ids of the checks that look for the cause on the host and on the server. */
  readonly checks: readonly string[]
}
