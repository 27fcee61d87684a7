/** What the tests ask of a process that holds sessions, and what it answers. */
import type { Kept, SessionStats } from '../../../src/sessions/index.ts'

export interface SessionOrder {
  readonly url: string
  /** Left out: each process has its own memory. */
  readonly database?: string
  /** Seals copies with it. */
  readonly secret?: string
}

export interface SessionFunctions {
  open(order: SessionOrder): Promise<void>
  stats(): SessionStats
  get(id: string, sealed?: string): Promise<Record<string, unknown> | undefined>
  set(id: string, data: object): Promise<Kept>
  touch(id: string): Promise<void>
  destroy(id: string): Promise<Kept>
  /** The text of a sealed copy. */
  copy(id: string): string | undefined
}
