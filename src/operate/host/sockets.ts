/** Who listens where, by the kernel's own table (`/proc/net/tcp`), which needs no program and no rights. */
import { known, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'
import { sameAddress } from './addresses.ts'

export interface Listener {
  /** `0.0.0.0` and `::` are every address. */
  readonly address: string
  readonly port: number
  readonly uid: number
}

const LISTENING = '0A'

/** Missing only where there is no table of IPv4; without IPv6 there is none of that, and nobody listens there. */
export async function readListeners(host: Host): Promise<Evidence<readonly Listener[]>> {
  // The kernel writes the listeners first, so a table that is cut still has them.
  const [four, six] = await Promise.all([host.readFile('/proc/net/tcp'), host.readFile('/proc/net/tcp6')])
  if (four.kind !== 'known') return four
  return known([...listenersIn(four.value), ...(six.kind === 'known' ? listenersIn(six.value) : [])])
}

export function listenersIn(table: string): readonly Listener[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid = ''] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (state !== LISTENING) return []
    return [{ address: addressOf(address), port: Number.parseInt(port, 16), uid: Number(uid) }]
  })
}

/** Words of four bytes, each in the byte order of the machine, which is little-endian where Redis runs. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? []
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).toReversed())
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => `${bytes[2 * index] ?? '00'}${bytes[2 * index + 1] ?? '00'}`)
  const written = URL.parse(`http://[${groups.join(':')}]`)?.hostname.slice(1, -1) ?? groups.join(':')
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(written)
  if (mapped === null) return written
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Does somebody listen at this address and port, by itself or with all of its family? Redis keeps the families apart. */
export function listensAt(listeners: readonly Listener[], address: string, port: number): boolean {
  const every = address.includes(':') ? '::' : '0.0.0.0'
  return listeners.some((one) => one.port === port && (one.address === every || sameAddress(one.address, address)))
}
