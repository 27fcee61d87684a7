/** The addresses of this machine, by `ip`, or by what Node knows where there is no `ip`. */
import { networkInterfaces } from 'node:os'
import { failed, known, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'

export interface InterfaceAddress {
  /** Such as `eth0`, `docker0`, `br-1f2e3d`. */
  readonly link: string
  readonly address: string
  readonly family: 4 | 6
  readonly prefix: number
  /** Of a link that is down the kernel still answers on its address; who is beyond it cannot be reached. */
  readonly up: boolean
}

export async function readAddresses(host: Host): Promise<Evidence<readonly InterfaceAddress[]>> {
  const shown = await host.run('ip', ['-j', 'addr'])
  if (shown.kind === 'known' && shown.value.code === 0) {
    const addresses = addressesOfIp(shown.value.stdout)
    return addresses === undefined ? failed('ip -j addr: its answer is no JSON') : known(addresses)
  }
  return known(addressesOfNode(networkInterfaces()))
}

interface IpLink {
  readonly ifname?: string
  readonly flags?: readonly string[]
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly prefixlen?: number }[]
}

/** Undefined when the text is not what `ip -j addr` prints. */
export function addressesOfIp(text: string): readonly InterfaceAddress[] | undefined {
  const links = jsonArray(text)
  return links?.flatMap(({ ifname: link = '', flags = [], addr_info = [] }: IpLink) =>
    addr_info.flatMap(({ family, local, prefixlen: prefix = 0 }) => {
      if (local === undefined) return []
      return [{ link, address: local, family: family === 'inet6' ? 6 : 4, prefix, up: flags.includes('UP') } as const]
    }),
  )
}

function jsonArray(text: string): readonly IpLink[] | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? '[]' : text)
    return Array.isArray(value) ? (value as IpLink[]) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function addressesOfNode(interfaces: ReturnType<typeof networkInterfaces>): readonly InterfaceAddress[] {
  return Object.entries(interfaces).flatMap(([link, addresses = []]) =>
    addresses.map(({ address, family, cidr }) => {
      const prefix = Number(cidr?.split('/')[1] ?? 0)
      return { link, address, family: family === 'IPv6' ? 6 : 4, prefix, up: true } as const
    }),
  )
}

/** The same address, however it is written: `::1` and `0:0:0:0:0:0:0:1`, with and without a zone. */
export function sameAddress(one: string, other: string): boolean {
  return canonical(one) === canonical(other)
}

function canonical(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase()
  if (!bare.includes(':')) return bare
  const url = URL.parse(`http://[${bare}]`)
  return url === null ? bare : url.hostname
}

/** Loopback: only this machine, or this container, gets there. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || sameAddress(address, '::1') || address === 'localhost'
}

const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe80:)/i

/** An address that no network outside routes to: private, link-local, or of a carrier's NAT. */
export function isPrivate(address: string): boolean {
  return isLoopback(address) || PRIVATE.test(address)
}
