/**
 * Where the keys of a command stand among its words. The rules of the command table are texts:
 *
 *     1               the word at index 1 (0 is the command's name)
 *     1..-1           from index 1 to the last word; 1..-2 to the one before it
 *     1..-1/2         every second of these
 *     #2              index 2 holds how many keys follow it; #1/2: as many, with a value behind each
 *     STORE@6         the word behind STORE, which stands at index 6 or later
 *     KEYS@6..-1      from behind KEYS to the last word
 *     STREAMS@1/half  the first half of what stands behind STREAMS
 *     3|KEYS@6..-1    the word at index 3, or, where that is empty, by the other rule
 *
 * Several rules in a row add up: `1 #2` is a destination and counted sources.
 */
import type { Argument } from '../driver.ts'

/** Commands that are alike, as the tables hold them. */
export interface CommandRow {
  readonly kind: 'read' | 'write'
  readonly denyOom: boolean
  /** Where the keys stand, in the language above; empty: it has none. */
  readonly keys: string
  /** Upper-case names, parted by commas; a container and its subcommand are parted by a space. */
  readonly names: string
}

/** Adds the indexes of keys to `found`. */
type Rule = (args: readonly Argument[], found: number[]) => void

/** A rule of the table, ready for use. */
export class KeyRule {
  readonly text: string
  readonly #rules: readonly Rule[]
  /** The index of the one key, for the many commands where it never depends on the words. */
  readonly #only: number | undefined

  constructor(text: string) {
    this.text = text
    const parts = text.split(' ').filter((part) => part !== '')
    this.#rules = parts.map(ruleOf)
    this.#only = /^\d+$/.test(text) ? Number(text) : undefined
  }

  /** The keys in the order of the rules; words that are missing are left out, for the server will refuse the command. */
  keysIn(args: readonly Argument[]): readonly Argument[] {
    if (this.#only !== undefined) {
      const key = args[this.#only]
      return key === undefined ? [] : [key]
    }
    const found: number[] = []
    for (const rule of this.#rules) rule(args, found)
    return found.flatMap((index) => args[index] ?? [])
  }
}

const FORMS: readonly { readonly pattern: RegExp; readonly rule: (parts: readonly string[]) => Rule }[] = [
  { pattern: /^(\d+)$/, rule: ([at]) => range({ from: Number(at), to: Number(at) }) },
  { pattern: /^(\d+)\|(.+)$/, rule: ([at, other = '']) => unlessEmpty(Number(at), ruleOf(other)) },
  {
    pattern: /^(\d+)\.\.(-?\d+)(?:\/(\d+))?$/,
    rule: ([from, to, step]) => range({ from: Number(from), to: Number(to), step: Number(step ?? 1) }),
  },
  { pattern: /^#(\d+)(?:\/(\d+))?$/, rule: ([at, step]) => counted(Number(at), Number(step ?? 1)) },
  { pattern: /^([A-Z]+)@(\d+)$/, rule: ([word = '', from]) => behind(word, Number(from), oneFrom) },
  { pattern: /^([A-Z]+)@(\d+)\/half$/, rule: ([word = '', from]) => behind(word, Number(from), halfFrom) },
  { pattern: /^([A-Z]+)@(\d+)\.\.-1$/, rule: ([word = '', from]) => behind(word, Number(from), allFrom) },
]

function ruleOf(text: string): Rule {
  for (const { pattern, rule } of FORMS) {
    const match = pattern.exec(text)
    if (match !== null) return rule(match.slice(1))
  }
  throw new Error(`'${text}' is no rule for keys`)
}

function range({ from, to, step = 1 }: { from: number; to: number; step?: number }): Rule {
  return (args, found) => {
    const last = to < 0 ? args.length + to : Math.min(to, args.length - 1)
    for (let index = from; index <= last; index += step) found.push(index)
  }
}

function unlessEmpty(at: number, other: Rule): Rule {
  return (args, found) => {
    if (args[at]?.length === 0) other(args, found)
    else found.push(at)
  }
}

function counted(at: number, step: number): Rule {
  return (args, found) => {
    const count = Number(args[at])
    const last = at + count * step
    // A count that is none, or too great, is the server's to refuse.
    if (!Number.isInteger(count) || count < 0 || last >= args.length) return
    for (let index = at + 1; index <= last; index += step) found.push(index)
  }
}

function behind(word: string, from: number, take: (first: number, length: number) => [number, number]): Rule {
  return (args, found) => {
    for (let index = from; index < args.length; index++) {
      if (String(args[index]).toUpperCase() !== word) continue
      const [first, last] = take(index + 1, args.length)
      for (let key = first; key <= last; key++) found.push(key)
      return
    }
  }
}

const oneFrom = (first: number): [number, number] => [first, first]
const allFrom = (first: number, length: number): [number, number] => [first, length - 1]
const halfFrom = (first: number, length: number): [number, number] => [
  first,
  first + Math.floor((length - first) / 2) - 1,
]
