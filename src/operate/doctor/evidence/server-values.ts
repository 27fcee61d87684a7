/** What is known of the server, in the shapes that the checks read. */
import type { Diagnosis } from '../../diagnosis.ts'

/** Names and values as the server writes them: the fields of INFO, the settings of CONFIG GET. */
export type Fields = ReadonlyMap<string, string>

export interface ServerValues {
  /** What `evenkeel check` says: can we be served? */
  readonly diagnosis: Diagnosis
  /** Every field of `INFO everything`, such as `used_memory`. */
  readonly info: Fields
  /** Every setting of `CONFIG GET *`; passwords among them: they must not get into an outcome. */
  readonly config: Fields
}

/** What data in Redis may be for. */
export type Purpose = 'cache' | 'sessions' | 'limits' | 'queue' | 'results' | 'events' | 'checkpoints'
