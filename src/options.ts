/**
 * Reading options: every value is checked when it is given, and a wrong one is answered by an error that
 * names the option, what was expected and what came. Environment and command line may write `30s`, `5m`, `64mb`.
 */
import { OptionError } from './errors.ts'

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }
const DURATIONS = '250ms, 30s or 5m'
const SIZES = '64kb, 64mb or 1gb'

/** Which numbers an option accepts. */
export interface NumberRange {
  readonly min?: number
  readonly max?: number
  /** @default true */
  readonly integer?: boolean
}

/** Checks a number that came from code. */
export function numberOption(name: string, value: unknown, range: NumberRange = {}): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, integer = true } = range
  const kind = integer ? 'a whole number' : 'a number'
  if (typeof value !== 'number' || !Number.isFinite(value) || (integer && !Number.isInteger(value)))
    throw new OptionError(name, `Expected '${name}' to be ${kind}, got ${shown(value)}.`)
  if (value < min || value > max)
    throw new OptionError(name, `Expected '${name}' to be ${kind} from ${min} to ${max}, got ${shown(value)}.`)
  return value
}

/** Reads a number written as text, as the environment and the command line do. */
export function numberText(name: string, text: string, range: NumberRange = {}): number {
  const trimmed = text.trim()
  return numberOption(name, /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : text, range)
}

/** Reads `true/false`, `1/0`, `yes/no`, `on/off`, in any case. */
export function booleanText(name: string, text: string): boolean {
  const word = text.trim().toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(word)) return true
  if (['false', '0', 'no', 'off', ''].includes(word)) return false
  throw new OptionError(name, `Expected '${name}' to be true or false, got ${shown(text)}.`)
}

/** Milliseconds out of `250`, `250ms`, `30s`, `5m`, `2h`, `7d`; a bare number is milliseconds. */
export function durationText(name: string, text: string, range: NumberRange = {}): number {
  const given = scaled(text, DURATION_UNITS)
  if (given === undefined)
    throw new OptionError(name, `Expected '${name}' to be a time such as ${DURATIONS}, got '${text}'.`)
  return numberOption(name, given, range)
}

/** Bytes out of `1024`, `64kb`, `64mb`, `1gb`; a bare number is bytes. */
export function sizeText(name: string, text: string, range: NumberRange = {}): number {
  const given = scaled(text, SIZE_UNITS)
  if (given === undefined)
    throw new OptionError(name, `Expected '${name}' to be a size such as ${SIZES}, got '${text}'.`)
  return numberOption(name, given, range)
}

/** Checks that a text is one of the words an option knows. */
export function wordOption<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  const found = words.find((word) => word === value)
  if (found === undefined)
    throw new OptionError(name, `Expected '${name}' to be one of ${words.join(', ')}, got ${shown(value)}.`)
  return found
}

/** Refuses an options object with a name nobody reads: a misspelt option must not be silently ignored. */
export function knownOptions(thing: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new OptionError(name, `'${name}' is no option of ${thing}; known: ${known.join(', ')}.`)
  }
}

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase())
  if (match === null) return undefined
  const [, digits = '', unit = ''] = match
  const factor = unit === '' ? 1 : units[unit]
  return factor === undefined ? undefined : Math.round(Number(digits) * factor)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
