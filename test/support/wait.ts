/**
 * Waiting for conditions instead of for time, and the ports that servers under test listen on.
 */

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { claim } from './port-claims.ts'

export interface EventuallyOptions {
  /** Give up after this long. @default 10_000 */
  readonly timeoutMs?: number
  /** Pause between two probes. @default 20 */
  readonly everyMs?: number
}

/**
 * Probes until the answer is truthy and resolves with it. A probe that throws counts as "not yet"; a probe that hangs is
 * given up at the limit. The error names what was waited for and what the last probe said.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T> | undefined,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, everyMs = 20 } = options
  const endsAt = performance.now() + timeoutMs
  let last: unknown = 'the first probe did not answer'
  while (true) {
    try {
      const answer = await beforeLimit(probe, endsAt)
      if (answer) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() + everyMs >= endsAt) break
    await delay(everyMs)
  }
  throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}; last: ${String(last)}`, { cause: last })
}

async function beforeLimit<T>(probe: () => T | Promise<T> | undefined, endsAt: number): Promise<T | undefined> {
  const limit = new AbortController()
  const hung = delay(Math.max(1, endsAt - performance.now()), undefined, { signal: limit.signal }).then(() => {
    throw new Error('the last probe did not answer')
  })
  try {
    return await Promise.race([probe(), hung])
  } finally {
    hung.catch(() => 'aborted: the probe was faster')
    limit.abort()
  }
}

/**
 * Below the range that kernels take for outgoing connections: a port of that range may be gone when a killed server
 * wants it back, and a client that dials a dead port of it can end up connected to itself. The bus port of a cluster's
 * node, 10,000 higher, is below that range too.
 */
const FIRST_PORT = 15_000
const LAST_PORT = 22_700

/**
 * A TCP port on 127.0.0.1 that nobody used a moment ago and that no other test is given. Other programs may take it:
 * whoever binds it must be ready to lose the race and ask again.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if (claim(port) && (await isFree(port))) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (error) {
    if (isPortTaken(error)) return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}

/** Somebody else was faster to bind the port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
