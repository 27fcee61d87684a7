/**
 * From a host name to an address that can be connected to. A name may have several addresses of which some lead nowhere
 * (`localhost` is ::1 and 127.0.0.1, Redis often listens on one of them): the last that worked comes first, and each attempt
 * begins with the next, because a silent one uses up the whole attempt.
 */
import type { Address, TlsOptions } from './driver.ts'
import type { Lookup } from './lookup.ts'

export class Locator {
  readonly #lookup: Lookup
  readonly #turns = new Map<string, number>()
  readonly #lastThatWorked = new Map<string, string>()

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  /** The addresses for the next attempt, with IP addresses as hosts, the best first; rejects with the resolver's error. */
  async locate(address: Address): Promise<readonly Address[]> {
    if (address.kind === 'socket') return [address]
    const found = this.#inOrder(address.host, await this.#lookup(address.host))
    if (found.length === 0) return [address]
    const turn = (this.#turns.get(address.host) ?? 0) % found.length
    this.#turns.set(address.host, turn + 1)
    return [...found.slice(turn), ...found.slice(0, turn)].map((host) => atHost(address, host))
  }

  /** A connection came about there: the next attempt begins with it. */
  worked(address: Address): void {
    if (address.kind === 'socket' || address.name === undefined) return
    this.#turns.delete(address.name)
    this.#lastThatWorked.set(address.name, address.host)
  }

  #inOrder(name: string, found: readonly string[]): readonly string[] {
    const first = this.#lastThatWorked.get(name)
    if (first === undefined || !found.includes(first)) return found
    return [first, ...found.filter((host) => host !== first)]
  }
}

/** The address with its host resolved, which remembers the name. */
export function atHost(address: Extract<Address, { kind: 'tcp' }>, host: string): Address {
  return host === address.host ? address : { kind: 'tcp', host, port: address.port, name: address.name ?? address.host }
}

/** TLS settings for a connection there: the certificate must carry the name, not the IP address it was looked up to. */
export function tlsAt(address: Address, tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined || tls.servername !== undefined) return tls
  return address.kind === 'tcp' && address.name !== undefined ? { ...tls, servername: address.name } : tls
}
