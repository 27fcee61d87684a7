/**
 * Redis' globs, so that memory drops the same keys as Redis does: `*`, `?`, `[abc]`, `[^a]`, `[a-c]`, and `\` before a literal one.
 */

/** Does a key match? */
export function globTest(pattern: string): (key: string) => boolean {
  const expression = new RegExp(`^${expressionOf(Array.from(pattern))}$`, 'su')
  return (key) => expression.test(key)
}

/** A glob that matches the very text. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\^]/g, String.raw`\$&`)
}

/**
 * A glob for Redis that matches at least as much: to Redis `?` and a set are one byte, to us one character, so what comes behind
 * the first of them is left to us.
 */
export function broadGlob(pattern: string): string {
  const special = /^(?:[^\\?[]|\\.)*/su.exec(pattern)?.[0] ?? ''
  return special.length === pattern.length ? pattern : `${special}*`
}

function expressionOf(letters: readonly string[]): string {
  let text = ''
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? ''
    if (letter === '*') text += '.*'
    else if (letter === '?') text += '.'
    else if (letter === '[') {
      const [set, end] = setFrom(letters, at + 1)
      text += set
      at = end
    } else if (letter === '\\' && at + 1 < letters.length) text += literal(letters[++at] ?? '')
    else text += literal(letter)
  }
  return text
}

/** A set of characters and the index of its `]`, or of the last character where it has none. */
function setFrom(letters: readonly string[], from: number): [expression: string, end: number] {
  const negated = letters[from] === '^'
  let inner = ''
  let at = negated ? from + 1 : from
  for (; at < letters.length && letters[at] !== ']'; at++) {
    const letter = letters[at] ?? ''
    if (letter === '\\' && at + 1 < letters.length) inner += literal(letters[++at] ?? '')
    else if (letters[at + 1] === '-' && at + 2 < letters.length) {
      const [low, high] = [letter, letters[at + 2] ?? ''].toSorted()
      inner += `${literal(low ?? '')}-${literal(high ?? '')}`
      at += 2
    } else inner += literal(letter)
  }
  const end = Math.min(at, letters.length - 1)
  // An empty set matches nothing, its negation anything.
  if (inner === '') return [negated ? '.' : '(?!)', end]
  return [`[${negated ? '^' : ''}${inner}]`, end]
}

function literal(letter: string): string {
  return `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`
}
