/**
 * A name server that can die. Names under `.outage.test` are answered here, all others where they always were.
 */
import dns from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'

/** `missing`: no such name · `away`: the resolver gives up at once · `mute`: it keeps the question until it is well again. */
export type Illness = 'missing' | 'away' | 'mute'

const CODES = { missing: 'ENOTFOUND', away: 'EAI_AGAIN' } as const
const DOMAIN = '.outage.test'
const names = new Map<string, Name>()
let named = 0

/** One name with its addresses, to be unregistered at the end. */
export class Name implements Disposable {
  readonly host: string
  readonly #addresses: readonly string[]
  #illness: Illness | undefined
  #well = Promise.withResolvers<void>()

  constructor(addresses: readonly string[]) {
    this.host = `redis-${(named += 1)}${DOMAIN}`
    this.#addresses = addresses
    names.set(this.host, this)
  }

  fallIll(illness: Illness): void {
    this.#illness = illness
  }

  recover(): void {
    this.#illness = undefined
    this.#well.resolve()
    this.#well = Promise.withResolvers<void>()
  }

  async addresses(): Promise<readonly { address: string; family: number }[]> {
    const illness = this.#illness
    if (illness === 'mute') await this.#well.promise
    else if (illness !== undefined)
      throw Object.assign(new Error(`getaddrinfo ${CODES[illness]} ${this.host}`), { code: CODES[illness] })
    return this.#addresses.map((address) => ({ address, family: 4 }))
  }

  [Symbol.dispose](): void {
    this.recover()
    names.delete(this.host)
  }
}

const systemLookup = dns.lookup
// Every `import { lookup } from 'node:dns/promises'` of this process gets this one.
Object.assign(dns, {
  lookup: (host: string, ...options: []) => names.get(host)?.addresses() ?? systemLookup(host, ...options),
})
syncBuiltinESMExports()
