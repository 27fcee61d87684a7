/** Reads the lists of names and values in which Redis tells of itself. */
import type { Reply } from '../../../link/index.ts'
import type { Fields } from './server-values.ts'

/** `name:value` lines, with headings such as `# Memory` between them. */
export function fieldsOfInfo(reply: Reply): Fields {
  const lines = String(reply)
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf(':')
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    }),
  )
}

/** A flat array: name, value, name, value. */
export function fieldsOfPairs(reply: Reply): Fields {
  const items = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  const names = items.filter((_, index) => index % 2 === 0)
  return new Map(names.map((name, index) => [String(name), String(items[2 * index + 1] ?? '')]))
}

/** The number under a name; NaN when there is none, so that no comparison with it holds. */
export function numberIn(fields: Fields, name: string): number {
  const text = fields.get(name)?.trim() ?? ''
  return text === '' ? Number.NaN : Number(text.replace(/%$/, ''))
}
