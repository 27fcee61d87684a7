/**
 * Callers that write rows through an outage, and the reckoning afterwards: how long each waited, and whether what each
 * was told is what the database holds.
 */

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { eventually } from '../support/wait.ts'

/** The deadline of every call of the load. */
const DEADLINE_MS = 300

const CALLERS = 8
const PAUSE_MS = 3
/** How often the lateness of timers is looked at. */
const TICK_MS = 10

type Told = 'stored' | 'not stored' | 'unknown'

export interface Failure {
  readonly error: DatabaseError
  readonly elapsedMs: number
}

export class DatabaseLoad {
  readonly failures: Failure[] = []
  readonly #database: Database
  readonly #prefix: string
  readonly #told = new Map<string, Told>()
  #worstOverrunMs = 0
  #stopped = false
  #callers: Promise<unknown> = Promise.resolve()

  constructor(database: Database, prefix: string) {
    this.#database = database
    this.#prefix = prefix
  }

  /** The longest that a call took beyond its deadline. */
  get worstOverrunMs(): number {
    return this.#worstOverrunMs
  }

  get stored(): number {
    return [...this.#told.values()].filter((told) => told === 'stored').length
  }

  start(): void {
    this.#callers = Promise.all(Array.from({ length: CALLERS }, (_, index) => this.#call(index)))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#callers
  }

  /** Compares what the callers were told with the rows that are there. */
  check(rows: ReadonlySet<string>): { lost: string[]; ghosts: string[] } {
    const told = [...this.#told]
    return {
      lost: told.filter(([id, what]) => what === 'stored' && !rows.has(id)).map(([id]) => id),
      ghosts: told.filter(([id, what]) => what === 'not stored' && rows.has(id)).map(([id]) => id),
    }
  }

  /** Half of the callers write in a transaction, half in a statement of its own. */
  async #call(index: number): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const id = `${this.#prefix}-${index}-${n}`
      const begun = performance.now()
      this.#told.set(id, await this.#write(id, index % 2 === 0, begun))
      this.#worstOverrunMs = Math.max(this.#worstOverrunMs, performance.now() - begun - DEADLINE_MS)
      await delay(PAUSE_MS)
    }
  }

  async #write(id: string, inTransaction: boolean, begun: number): Promise<Told> {
    const sql = 'INSERT INTO load_rows (id) VALUES ($1)'
    const limit = { deadlineMs: DEADLINE_MS }
    try {
      if (inTransaction) await this.#database.transaction((tx) => tx.query(sql, [id]), limit)
      else await this.#database.query(sql, [id], limit)
      return 'stored'
    } catch (error) {
      assert.ok(error instanceof DatabaseError, String(error))
      this.failures.push({ error, elapsedMs: performance.now() - begun })
      return error.executed === 'no' ? 'not stored' : 'unknown'
    }
  }
}

export const LOAD_MIGRATIONS = [{ id: '001', sql: 'CREATE TABLE load_rows (id TEXT PRIMARY KEY)' }]

/** How late timers ring on this machine right now: no caller can be told earlier than that. */
export class TimerLag {
  #worstMs = 0
  #stopped = false
  readonly #watching: Promise<void>

  constructor() {
    this.#watching = this.#watch()
  }

  /** Returns the worst lateness since the beginning. */
  async stop(): Promise<number> {
    this.#stopped = true
    await this.#watching
    return this.#worstMs
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const due = performance.now() + TICK_MS
      await delay(TICK_MS)
      this.#worstMs = Math.max(this.#worstMs, performance.now() - due)
    }
  }
}

/** Waits until no more sockets and timers are busy than `before`, what was busy before the test began. */
export async function nothingLeft(before: readonly string[]): Promise<void> {
  // Whoever waits has timers too.
  const waiting = 2
  await eventually(
    `no socket and no timer is left of ${busyResources().join(', ')}`,
    () => busyResources().length <= before.length + waiting,
    { timeoutMs: 3000 },
  )
}

/** Sockets and timers that keep the process busy. */
export function busyResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Pipe|TLS|GetAddrInfo|Shutdown/.test(name))
}
