/**
 * Brings the schema up to date: each component declares its migrations, one table remembers which were applied.
 * Migrations only add. Several processes may start at once: whoever holds the lock applies, the others find it done.
 */
import type { Dialect } from './dialect.ts'

/** One step of a component's schema. Never edit one that was applied: add another one. */
export interface Migration {
  /** Unique within the component, such as `001-orders`. */
  readonly id: string
  /** One or more statements; a function where the engines need different text. */
  readonly sql: string | ((dialect: Dialect) => string)
}
