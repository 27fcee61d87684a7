/** Reads the lists of names and values in which Redis tells of itself. */
import type { Reply } from '../../../link/index.ts'
import type { Fields } from './server-values.ts'

/** The members of an array; none of anything else. */
export function itemsOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : []
}

/** `name:value` lines, with headings such as `# Memory` between them. */
export function fieldsOfInfo(reply: Reply): Fields {
  const lines = String(reply).split(/\r?\n/)
  return new Map(lines.filter((line) => !line.startsWith('#')).flatMap((line) => pairOf(line, ':')))
}

/** `id=5 addr=127.0.0.1:39166 name= …`: no value has a blank in it. */
export function fieldsOfLine(line: string): Fields {
  return new Map(
    line
      .trim()
      .split(' ')
      .flatMap((word) => pairOf(word, '=')),
  )
}

/** A flat array: name, value, name, value. */
export function fieldsOfPairs(reply: Reply): Fields {
  const items = itemsOf(reply)
  const names = items.filter((_, index) => index % 2 === 0)
  return new Map(names.map((name, index) => [String(name), String(items[2 * index + 1] ?? '')]))
}

/** The number under a name; NaN when there is none, so that no comparison with it holds. */
export function numberIn(fields: Fields, name: string): number {
  const text = fields.get(name)?.trim() ?? ''
  return text === '' ? Number.NaN : Number(text.replace(/%$/, ''))
}

function pairOf(text: string, separator: string): [string, string][] {
  const at = text.indexOf(separator)
  return at < 1 ? [] : [[text.slice(0, at), text.slice(at + 1)]]
}
