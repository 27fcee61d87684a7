/**
 * What the matrix asks of every contender: one call that somebody waits for. How it connects, retries and times out is its own: it
 * is set up as its documentation does it, and the name says where it is not.
 */
import type { Operation } from '../../test/outage/adapters/operation.ts'

export type { Operation }

export interface Setting {
  /** Of a Redis of its own. */
  readonly port: number
  /** For contenders that keep a file. */
  readonly directory: string
}

export interface Adapter {
  /** What the application is made with. */
  readonly under: string
  /** What stands between it and Redis. */
  readonly name: string
  readonly ours?: boolean
  open(setting: Setting): Operation | Promise<Operation>
}

/** How one is named when it is chosen. */
export function titleOf({ under, name }: Adapter): string {
  return `${under}: ${name}`
}
