/** Where a server listens, and who gets in there without a password. */
import { BlockList, isIP } from 'node:net'
import type { AclUser, Fields } from '../../evidence/server-values.ts'

/** The addresses of `bind`, without the `-` of those that may be missing; `*` is every address, and so is nothing. */
export function boundTo(config: Fields): readonly string[] {
  const words = (config.get('bind') ?? '').split(/\s+/).filter(Boolean)
  return words.length === 0 ? ['*'] : words.map((word) => word.replace(/^-/, ''))
}

export function isEverywhere(address: string): boolean {
  return ['*', '::*', '0.0.0.0', '::'].includes(address)
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  // Shared by providers with their customers; not routed in the public network.
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, bits)
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

export function isLoopback(address: string): boolean {
  return address === 'localhost' || contains(LOOPBACK, address)
}

/** An address that the public network routes to. Names are not judged. */
export function isPublic(address: string): boolean {
  return isIP(address) !== 0 && !isEverywhere(address) && !isLoopback(address) && !contains(PRIVATE, address)
}

/** Can somebody beside this machine reach it? */
export function isReachable(config: Fields): boolean {
  const port = Number(config.get('port') ?? '6379') + Number(config.get('tls-port') ?? '0')
  return port > 0 && boundTo(config).some((address) => !isLoopback(address))
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** May everybody come in who is not turned away by protected mode? */
export function isOpen(config: Fields, users: readonly AclUser[] | undefined): boolean {
  const standard = users?.find(({ name }) => name === 'default')
  return standard === undefined ? config.get('requirepass') === '' : standard.enabled && !standard.needsPassword
}

/** Before 7.0 an explicit `bind` switches protected mode off. */
const EXPLICIT_BIND_COUNTS_UNTIL = 7

/** Does protected mode turn away whoever comes from elsewhere, as long as there is no password? */
export function isProtected(config: Fields, version: string): boolean {
  const explicit = Number.parseInt(version, 10) < EXPLICIT_BIND_COUNTS_UNTIL && (config.get('bind') ?? '') !== ''
  return config.get('protected-mode') === 'yes' && !explicit
}
