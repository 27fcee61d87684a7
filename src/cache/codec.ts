/**
 * How a value becomes text or bytes for Redis and back. JSON is the default: readable with redis-cli and as fast as any
 * for small values; msgpackr, superjson and others are plugged in by the same three fields.
 */

/** Turns values into text or bytes and back. Its name is kept beside each value: a value of another codec is a miss. */
export interface Codec {
  /** Short and stable: letters, digits, `-`, `_`, `.`. */
  readonly name: string
  /** Works on bytes instead of text. @default false */
  readonly binary?: boolean
  /** May throw: the value is then kept in memory alone. */
  encode(value: unknown): string | Buffer
  /** Gets a Buffer when the codec is `binary`, a string otherwise. May throw: the value counts as a miss. */
  decode(data: string | Buffer): unknown
}

const NUL = '\0'

/**
 * For values that are text already: kept as they are. What is none, or could not be told apart or come back as it was, is kept as
 * JSON behind a NUL.
 */
export const textCodec: Codec = {
  name: 'text',
  encode: (value) =>
    typeof value === 'string' && !value.startsWith(NUL) && value.isWellFormed() ? value : NUL + JSON.stringify(value),
  decode: (data) => {
    const text = data.toString()
    return text.startsWith(NUL) ? (JSON.parse(text.slice(1)) as unknown) : text
  },
}

/** Values as JSON text. What JSON does not know (Date, Map, undefined in objects) comes back as JSON has it. */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (value) => JSON.stringify(value),
  decode: (data) => JSON.parse(typeof data === 'string' ? data : data.toString()) as unknown,
}
