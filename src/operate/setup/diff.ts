/** Two texts as a unified diff, as `diff -u` and `git diff` show them. */

const CONTEXT = 3

interface Edit {
  readonly kind: ' ' | '-' | '+'
  readonly line: string
}

export interface DiffNames {
  readonly before: string
  readonly after: string
}

/** '' when both are the same. `before` undefined: the file is new. */
export function unifiedDiff(before: string | undefined, after: string, names: DiffNames): string {
  if (before === after) return ''
  const edits = editsBetween(linesOf(before ?? ''), linesOf(after))
  const hunks = hunksOf(edits).map((hunk) => textOf(hunk))
  return [`--- ${before === undefined ? '/dev/null' : names.before}`, `+++ ${names.after}`, ...hunks].join('\n')
}

const NO_NEWLINE = '\\ No newline at end of file'

/** A last line without an end is another line than the same one with it. */
function linesOf(text: string): readonly string[] {
  if (text === '') return []
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  return last === '' ? lines : [...lines, `${last}\n${NO_NEWLINE}`]
}

/** What is alike at both ends is set aside: the table below is square in the rest, and configuration files are long. */
function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start++
  let end = 0
  const room = Math.min(before.length, after.length) - start
  while (end < room && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }))
  const middle = longestCommon(before.slice(start, before.length - end), after.slice(start, after.length - end))
  return [...same(before.slice(0, start)), ...middle, ...same(before.slice(before.length - end))]
}

/** The longest common subsequence by its table of lengths, walked from the front. */
function longestCommon(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const edits: Edit[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]]
    if (left !== undefined && left === right) {
      edits.push({ kind: ' ', line: left })
      i++
      j++
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ kind: '-', line: left })
      i++
    } else if (right !== undefined) {
      edits.push({ kind: '+', line: right })
      j++
    }
  }
  return edits
}

interface Hunk {
  /** Of its first line in each text, from 0. */
  readonly starts: Readonly<Record<'-' | '+', number>>
  readonly edits: readonly Edit[]
}

/** Changes with fewer than two contexts between them stand in one hunk. */
function hunksOf(edits: readonly Edit[]): readonly Hunk[] {
  const changed = edits.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]))
  const ranges: { from: number; to: number }[] = []
  for (const index of changed) {
    const last = ranges.at(-1)
    if (last !== undefined && index - CONTEXT <= last.to) last.to = index + CONTEXT + 1
    else ranges.push({ from: Math.max(0, index - CONTEXT), to: index + CONTEXT + 1 })
  }
  return ranges.map(({ from, to }) => {
    const passed = edits.slice(0, from)
    return { starts: { '-': count(passed, '-'), '+': count(passed, '+') }, edits: edits.slice(from, to) }
  })
}

function textOf({ starts, edits }: Hunk): string {
  const range = (kind: '-' | '+'): string => {
    const lines = count(edits, kind)
    return `${kind}${lines === 0 ? starts[kind] : starts[kind] + 1}${lines === 1 ? '' : `,${lines}`}`
  }
  return [`@@ ${range('-')} ${range('+')} @@`, ...edits.map(({ kind, line }) => `${kind}${line}`)].join('\n')
}

function count(edits: readonly Edit[], kind: '-' | '+'): number {
  return edits.filter((edit) => edit.kind === kind || edit.kind === ' ').length
}
