/**
 * A redis.conf as Redis reads it: one directive a line, the last one wins, `include` reads another file at its place.
 * Changing one leaves every other line, remarks included, as it is.
 */

export interface Directive {
  /** In lower case. */
  readonly name: string
  readonly args: readonly string[]
  /** From 0. */
  readonly line: number
}

/** Directives of which every line counts, not only the last one. */
const CUMULATIVE = ['save', 'client-output-buffer-limit', 'user', 'include', 'rename-command', 'loadmodule']

export function directivesIn(text: string): readonly Directive[] {
  return text.split('\n').flatMap((content, line) => {
    const trimmed = content.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const [name = '', ...args] = wordsOf(trimmed)
    return [{ name: name.toLowerCase(), args, line }]
  })
}

/** The last one of this name. */
export function directive(text: string, name: string): Directive | undefined {
  return directivesIn(text).findLast((one) => one.name === name)
}

/**
 * The text with `name` set to these values, one line each: in the place of the last line of that name, else at the end.
 * A line that says the same already stays as it is written.
 */
export function withDirective(text: string, name: string, values: readonly string[]): string {
  const present = directivesIn(text).filter((one) => one.name === name)
  const said = (CUMULATIVE.includes(name) ? present : present.slice(-1)).map(({ args }) => args)
  const wanted = values.map((value) => wordsOf(value))
  if (JSON.stringify(said) === JSON.stringify(wanted)) return text
  const fresh = values.map((value) => `${name} ${value}`)
  const lines = text.split('\n')
  const at = present.at(-1)?.line
  if (at === undefined) return appended(text, fresh)
  const gone = present.map(({ line }) => line)
  return lines.flatMap((line, index) => (index === at ? fresh : gone.includes(index) ? [] : [line])).join('\n')
}

/** The text with lines at its end, which is where they win over what stands before. */
export function appended(text: string, lines: readonly string[]): string {
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `${start}${lines.join('\n')}\n`
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' }

/** Words and quoted words, as `sdssplitargs` of Redis splits them. */
function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [, double, single, plain = ''] of line.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\'|[^'])*)'|(\S+)/g)) {
    if (double !== undefined) words.push(unescaped(double))
    else words.push(single === undefined ? plain : single.replaceAll("\\'", "'"))
  }
  return words
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, char: string = '') =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(parseInt(hex, 16)),
  )
}
