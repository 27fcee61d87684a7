/**
 * What the benchmark asks of every contender. How it connects, retries and times out is its own: each adapter sets the
 * library up as its documentation does, and says so where it does not.
 */

export interface Setting {
  readonly port: number
  /** Keeps contenders on one server apart. */
  readonly prefix: string
  /** 0: as little memory tier as the library allows. */
  readonly l1TtlMs: number
  readonly l2TtlMs: number
  readonly maxEntries: number
}

export type Load = () => Promise<unknown>

export interface Contender {
  getOrSet(key: string, load: Load): Promise<unknown>
  set(key: string, value: unknown): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** Of the memory tier alone. */
  peek?(key: string): unknown
  deletePattern?(glob: string): Promise<unknown>
  close(): Promise<unknown> | void
}

export interface Adapter {
  readonly name: string
  readonly l1: boolean
  readonly l2: boolean
  /** Deletes by a pattern of its keys. */
  readonly deletesPatterns?: boolean
  open(setting: Setting): Contender | Promise<Contender>
}

/** What callers of hardened set-ups let a command wait, as with the link's reads. */
export const COMMAND_TIMEOUT_MS = 250
