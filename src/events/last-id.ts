/**
 * What somebody has got so far, as a text that a client keeps and gives back (`Last-Event-ID`): everything in the stream up to a
 * place, and of some processes the events up to a number as well, which had arrived before the stream had them.
 *
 *     k3f9a2_1770536955000-0 . m7_512 . 9f8e7d6c5b4a_17
 *     stream                   rows     ahead of both: origin and number
 *     └ incarnation            └ likewise, of the database's table
 *
 * The incarnation tells a stream from one that a Redis with other data has begun since: places of two of them do not compare.
 */

/** A place in one of the two logs: in the stream an id of Redis, in the table the number of a row. */
export interface Place {
  readonly incarnation: string
  readonly at: string
}

export interface Progress {
  readonly stream: Place | undefined
  readonly rows: Place | undefined
  /** By origin: events up to this number arrived too. */
  readonly ahead: ReadonlyMap<string, number>
}

/** A text with more would not fit into everybody's header; whoever is left out may be replayed twice. */
const AHEAD_AT_MOST = 16
const NOWHERE = '0'
const PLACE = /^(?<incarnation>[0-9a-z]{1,16})_(?<at>\d{1,16}(?:-\d{1,16})?)$/
const AHEAD = /^(?<origin>[0-9a-z]{1,32})_(?<number>\d{1,15})$/

export function lastIdOf({ stream, rows, ahead }: Progress): string {
  const latest = [...ahead].slice(-AHEAD_AT_MOST).map(([origin, number]) => `${origin}_${number}`)
  return [placeText(stream), placeText(rows), ...latest].join('.')
}

/** Undefined for a text that is none of ours: it comes from outside. */
export function readLastId(text: string): Progress | undefined {
  if (text.length > 2000) return undefined
  const [stream = '', rows = '', ...rest] = text.split('.')
  const ahead = new Map<string, number>()
  for (const part of rest) {
    const found = AHEAD.exec(part)?.groups
    if (found === undefined) return undefined
    ahead.set(found['origin'] ?? '', Number(found['number']))
  }
  if (!isPlaceText(stream) || !isPlaceText(rows)) return undefined
  return { stream: readPlace(stream), rows: readPlace(rows), ahead }
}

/** Below 0 when `one` comes first. Both are `milliseconds-number`, or one number. */
export function compareIds(one: string, other: string): number {
  const [ms = 0, number = 0] = one.split('-').map(Number)
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number)
  return ms - otherMs || number - otherNumber
}

function placeText(place: Place | undefined): string {
  return place === undefined ? NOWHERE : `${place.incarnation}_${place.at}`
}

function isPlaceText(text: string): boolean {
  return text === NOWHERE || PLACE.test(text)
}

function readPlace(text: string): Place | undefined {
  const found = PLACE.exec(text)?.groups
  return found && { incarnation: found['incarnation'] ?? '', at: found['at'] ?? '' }
}
