/**
 * The socket under a connection. `pg` connects it by name; the name is resolved here, so that a dead resolver cannot be
 * asked again with every attempt: each question blocks one of libuv's four threads, and with them the file access of the
 * whole application.
 */
import { lookup as systemLookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { Socket } from 'node:net'

type Answer = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void
/** With an error nothing is found, not even an empty list. */
type Hear = (error: NodeJS.ErrnoException | null, found?: LookupAddress[]) => void
type Ask = (host: string, hear: Hear) => void

/** Makes a `lookup` for `net.connect` in which everybody who asks for one host shares one question. */
export function sharedLookup(ask: Ask): (host: string, options: LookupOptions, answer: Answer) => void {
  const underWay = new Map<string, Hear[]>()
  return (host, options, answer) => {
    const asking = underWay.get(host) ?? []
    asking.push((error, found = []) => {
      const [first] = found
      if (error !== null || options.all === true || first === undefined) answer(error, found)
      else answer(null, first.address, first.family)
    })
    if (asking.length > 1) return
    underWay.set(host, asking)
    ask(host, (error, found) => {
      underWay.delete(host)
      for (const hear of asking) hear(error, found)
    })
  }
}

const lookup = sharedLookup((host, hear) => systemLookup(host, { all: true }, hear))

export class PostgresSocket extends Socket {
  /** As `pg` calls it: port and host, or the path of a Unix socket. */
  override connect(target: unknown, host?: unknown): this {
    if (typeof host !== 'string') return super.connect(String(target))
    return super.connect({ port: Number(target), host, lookup })
  }
}
