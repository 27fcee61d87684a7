/** What servers of socket.io tell each other as events: topics, and messages that survive JSON with their bytes. */
import { createHash } from 'node:crypto'
import type { ClusterMessage, ClusterResponse } from 'socket.io-adapter'
import { defineTopics, topic } from '../events/index.ts'

/**
 * The topics of the adapter, for `createEvents` and `keel.events`: of each namespace what is sent once, and broadcasts that are kept
 * for clients which come back.
 */
export const socketIoTopics = defineTopics({
  'socket.io.*.once': topic(),
  'socket.io.*.kept': topic({ delivery: 'stream' }),
})

/** A session that a client may come back to. */
export interface KeptSession {
  readonly sid: string
  readonly pid: string
  readonly rooms: string[]
  readonly data: unknown
}

/** What socket.io sends to its clients. */
export interface Packet {
  readonly type: number
  readonly id?: number
  readonly data: unknown[]
}

/** One server tells another. */
export type Envelope =
  | { readonly kind: 'message'; readonly message: ClusterMessage }
  | { readonly kind: 'response'; readonly to: string; readonly message: ClusterResponse }
  | { readonly kind: 'session'; readonly uid: string; readonly session: KeptSession }

/** Names of namespaces may have any letter; those of topics may not. */
export function topicsOf(namespace: string): { readonly once: string; readonly kept: string; readonly all: string } {
  const name = createHash('sha256').update(namespace).digest('base64url')
  return { once: `socket.io.${name}.once`, kept: `socket.io.${name}.kept`, all: `socket.io.${name}.*` }
}

/** Stands for bytes in what is JSON. */
const BYTES = '\u0000bytes'

/** The same with bytes as texts. What takes care of its own JSON, such as a date, is left to do so. */
export function packed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value))
    return { [BYTES]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  if (value instanceof ArrayBuffer) return { [BYTES]: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(packed)
  if ('toJSON' in value && typeof value.toJSON === 'function') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, packed(inner)]))
}

/** Takes back what `packed` did; what others are given stays as it is. */
export function unpacked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(unpacked)
  const entries = Object.entries(value)
  const [[key, inner] = []] = entries
  if (entries.length === 1 && key === BYTES && typeof inner === 'string') return Buffer.from(inner, 'base64')
  return Object.fromEntries(entries.map(([name, one]) => [name, unpacked(one)]))
}
