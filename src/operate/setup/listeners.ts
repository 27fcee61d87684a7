/** Which addresses have a listening socket, from `/proc/net/tcp` and `tcp6`. */
import { valueOr } from '../evidence.ts'
import type { Host } from '../host.ts'

const LISTEN = '0A'

export async function isListening(host: Host, address: string, port: number): Promise<boolean> {
  const file = address.includes(':') ? '/proc/net/tcp6' : '/proc/net/tcp'
  const table = valueOr(await host.readFile(file), '')
  const wanted = `${hexOf(address)}:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').some((row) => {
    const [, local, , state] = row.trim().split(/\s+/)
    return local === wanted && state === LISTEN
  })
}

/** As the kernel of a little-endian machine prints it: every four bytes turned round. */
function hexOf(address: string): string {
  const bytes = address.includes(':') ? bytesOfIpv6(address) : address.split('.').map(Number)
  const words = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.slice(4 * index, 4 * index + 4))
  return words.map((word) => word.toReversed().map(hexByte).join('')).join('')
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

function bytesOfIpv6(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const gap = tail === undefined ? 0 : 8 - first.length - last.length
  return [...first, ...Array.from({ length: gap }, () => 0), ...last].flatMap((group) => [group >> 8, group & 255])
}
