/**
 * What somebody has got so far, as a text that a client keeps and gives back (`Last-Event-ID`): everything in the stream up to a
 * place, and of some processes ranges of events as well, which had arrived before the stream had them.
 *
 *     k3f9a2_1770536955000-0 . m7_512 . 9f8e7d6c5b4a_17 . 0a1b2c3d4e5f_22-40
 *     stream                   rows     ahead of both: origin and numbers, all up to 17, and those from 22 to 40
 *     └ incarnation            └ likewise, of the database's table
 *
 * The incarnation tells a stream from one that a Redis with other data has begun since: places of two of them do not compare.
 */

/** A place in one of the two logs: in the stream an id of Redis, in the table the number of a row. */
export interface Place {
  readonly incarnation: string
  readonly at: string
}

/** Numbers of one origin, both included; `from` 0: all up to `to`. */
export interface NumberRange {
  readonly from: number
  readonly to: number
}

export interface Progress {
  readonly stream: Place | undefined
  readonly rows: Place | undefined
  /** By origin: events with these numbers arrived too, in rising ranges. */
  readonly ahead: ReadonlyMap<string, readonly NumberRange[]>
}

/** A text with more would not fit into everybody's header; whoever is left out may be replayed twice. */
const AHEAD_AT_MOST = 16
/** Ranges of an origin; each outage in which Redis took events and did not hand them on leaves a hole between two. */
const RANGES_AT_MOST = 8
const NOWHERE = '0'
const PLACE = /^(?<incarnation>[0-9a-z]{1,16})_(?<at>\d{1,16}(?:-\d{1,16})?)$/
const AHEAD = /^(?<origin>[0-9a-z]{1,32})_(?:(?<from>\d{1,15})-)?(?<to>\d{1,15})$/

export function lastIdOf({ stream, rows, ahead }: Progress): string {
  const parts = [...ahead].flatMap(([origin, ranges]) => ranges.map((range) => `${origin}_${rangeText(range)}`))
  return [placeText(stream), placeText(rows), ...parts.slice(-AHEAD_AT_MOST)].join('.')
}

/** Undefined for a text that is none of ours: it comes from outside. */
export function readLastId(text: string): Progress | undefined {
  if (text.length > 2000) return undefined
  const [stream = '', rows = '', ...rest] = text.split('.')
  const ahead = new Map<string, readonly NumberRange[]>()
  for (const part of rest) {
    const found = AHEAD.exec(part)?.groups
    if (found === undefined) return undefined
    const { origin = '', from = 0, to } = found
    ahead.set(origin, [...(ahead.get(origin) ?? []), { from: Number(from), to: Number(to) }])
  }
  if (!isPlaceText(stream) || !isPlaceText(rows)) return undefined
  return { stream: readPlace(stream), rows: readPlace(rows), ahead }
}

/** What somebody has got who has got both. */
export function together(one: Progress, other: Progress): Progress {
  const ahead = new Map(one.ahead)
  for (const [origin, ranges] of other.ahead) ahead.set(origin, joined([...(ahead.get(origin) ?? []), ...ranges]))
  return { stream: further(one.stream, other.stream), rows: further(one.rows, other.rows), ahead }
}

/** Of two incarnations the second: the first has ended. */
function further(one: Place | undefined, other: Place | undefined): Place | undefined {
  if (one === undefined || other === undefined) return other ?? one
  return one.incarnation === other.incarnation && compareIds(one.at, other.at) > 0 ? one : other
}

/** In rising order, what touches as one; of many the latest. */
export function joined(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const found: NumberRange[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last === undefined || from > last.to + 1) found.push({ from, to })
    else found[found.length - 1] = { from: last.from, to: Math.max(last.to, to) }
  }
  return found.slice(-RANGES_AT_MOST)
}

/** Below 0 when `one` comes first. Both are `milliseconds-number`, or one number. */
export function compareIds(one: string, other: string): number {
  const [ms = 0, number = 0] = one.split('-').map(Number)
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number)
  return ms - otherMs || number - otherNumber
}

function rangeText({ from, to }: NumberRange): string {
  return from === 0 ? String(to) : `${from}-${to}`
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
