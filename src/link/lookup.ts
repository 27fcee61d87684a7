/**
 * Name resolution that a dead resolver cannot use against the process. The system's resolver blocks one of libuv's four
 * threads per question, for many seconds when nobody answers, and a question cannot be taken back. A link that asked again
 * with every attempt would soon hold all four, and with them file access and cryptography of the whole application.
 *
 *     same host, already asked      ──▶ shares that answer
 *     more than two hosts at once   ──▶ wait in line; two threads stay free for everybody else
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** The IP addresses of a host, in the system's order; rejects with the resolver's error. */
export type Lookup = (host: string) => Promise<readonly string[]>

const MAX_AT_ONCE = 2

/** A lookup of its own, for tests; everybody else shares `lookup`. */
export function createLookup(resolve: Lookup): Lookup {
  const underWay = new Map<string, Promise<readonly string[]>>()
  const waiting: (() => void)[] = []
  let running = 0

  const ask = async (host: string): Promise<readonly string[]> => {
    if (running === MAX_AT_ONCE) await new Promise<void>((turn) => waiting.push(turn))
    else running += 1
    try {
      return await resolve(host)
    } finally {
      underWay.delete(host)
      const next = waiting.shift()
      // The place in the line is handed on, so that nobody who comes now gets ahead.
      if (next === undefined) running -= 1
      else next()
    }
  }

  return (host) => {
    if (isIP(host) !== 0) return Promise.resolve([host])
    const shared = underWay.get(host)
    if (shared !== undefined) return shared
    const asked = ask(host)
    underWay.set(host, asked)
    return asked
  }
}

/** The process's own lookup, by the system's resolver (hosts file, search domains and all). */
export const lookup: Lookup = createLookup(async (host) => {
  const found = await systemLookup(host, { all: true })
  return found.map(({ address }) => address)
})
