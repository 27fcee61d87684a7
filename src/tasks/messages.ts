/**
 * What processes tell each other through the database: short words that may get lost, for everything they say is in the
 * table as well.
 */
import { isUuid } from './uuid7.ts'

export const CHANNEL = 'evenkeel_tasks'

/** `wake`: there may be something to do. `done`: these tasks ended. `cancel`: these should. */
export interface Message {
  readonly kind: 'wake' | 'done' | 'cancel'
  readonly queue: string
  readonly ids: readonly string[]
}

/** So many ids fit into one message. */
export const IDS_AT_MOST = 150

export function messageText({ kind, queue, ids }: Message): string {
  return `${kind}:${queue}:${ids.join(',')}`
}

/** Undefined for what is none of ours. */
export function readMessage(text: string): Message | undefined {
  const [kind, queue, ids = ''] = text.split(':')
  if (queue === undefined || (kind !== 'wake' && kind !== 'done' && kind !== 'cancel')) return undefined
  return { kind, queue, ids: ids.split(',').filter(isUuid) }
}

/** Lists of at most so many. */
export function chunks<T>(list: readonly T[], atMost: number): T[][] {
  const parts: T[][] = []
  for (let from = 0; from < list.length; from += atMost) parts.push(list.slice(from, from + atMost))
  return parts
}
