/**
 * An event as it travels: who published it as which of his events, when, and the payload as JSON.
 *
 *     9f8e7d6c5b4a s17 1770536955000 order.created {"orderId":"1"}
 *     origin       │└ number        topic         payload
 *                  └ s: stream, o: once
 */
import { EventError } from '../errors.ts'
import type { Delivery } from './topics.ts'

export interface Envelope {
  /** Who published it: a process, from its start to its end. */
  readonly origin: string
  /** Counts the events of the origin, those of each delivery by themselves. */
  readonly number: number
  readonly delivery: Delivery
  /** Wall-clock milliseconds of the publisher. */
  readonly at: number
  readonly topic: string
  /** The payload as JSON. */
  readonly json: string
  /** And as it is given to listeners: for all of them alike what JSON makes of it. */
  readonly payload: unknown
}

const TEXT = /^([0-9a-z]{1,32}) ([so])(\d{1,15}) (\d{1,15}) (\S+) /

/** Unique among all events. */
export function idOf({ origin, delivery, number }: Pick<Envelope, 'origin' | 'delivery' | 'number'>): string {
  return `${origin}-${delivery === 'stream' ? 's' : 'o'}${number}`
}

export function encode({ origin, delivery, number, at, topic, json }: Omit<Envelope, 'payload'>): string {
  return `${origin} ${delivery === 'stream' ? 's' : 'o'}${number} ${at} ${topic} ${json}`
}

/** Undefined for what is none of ours. */
export function decode(text: string): Envelope | undefined {
  const match = TEXT.exec(text)
  if (match === null) return undefined
  const [head, origin = '', kind, number, at, topic = ''] = match
  const delivery = kind === 's' ? 'stream' : 'once'
  const json = text.slice(head.length)
  try {
    return { origin, delivery, number: Number(number), at: Number(at), topic, json, payload: JSON.parse(json) }
  } catch {
    // Whoever wrote this was not us: there is nothing to deliver.
    return undefined
  }
}

/**
 * JSON text; nothing is null.
 * @throws EventError `EVENT_PAYLOAD` when it cannot be written as JSON, or takes more bytes
 */
export function payloadText(topic: string, payload: unknown, maxBytes: number): string {
  const text = jsonOf(topic, payload)
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  throw new EventError(
    'EVENT_PAYLOAD',
    `The payload of the event '${topic}' takes ${bytes} bytes, ${maxBytes} at most.`,
    {
      nextStep: 'Publish an id, and let the listener read what it stands for.',
    },
  )
}

function jsonOf(topic: string, payload: unknown): string {
  try {
    // The types leave out that nothing gives nothing.
    const text: unknown = JSON.stringify(payload)
    return typeof text === 'string' ? text : 'null'
  } catch (cause) {
    throw new EventError('EVENT_PAYLOAD', `The payload of the event '${topic}' cannot be written as JSON.`, { cause })
  }
}
