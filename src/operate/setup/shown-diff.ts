/**
 * The diff of a change as it is shown: without a password, whether setup wrote it or it only stands near a change, as in
 * the `Environment=` of a unit or of a compose file that somebody changed by hand.
 */
import { isSecretName } from '../host/redis-variables.ts'
import { Redactor } from '../redactor.ts'
import { unifiedDiff } from './diff.ts'
import type { FileChange } from './plan.ts'

/** Of a file with a password only the lines that setup writes, masked. '' when nothing changes. */
export function diffOf(change: FileChange): string {
  const { path, before, after } = change
  if (change.secret) return hiddenDiff(change)
  const diff = unifiedDiff(before?.text, after, { before: path, after: path })
  // A new file is ours, and its passwords stand in files of their own.
  if (before === undefined) return diff
  const redactor = new Redactor(secretsIn(before.text))
  // What setup writes there itself is no secret; a line of before may stand in it again, with another end.
  const theirs = new Set(before.text.split('\n'))
  const isOurs = (line: string): boolean => line.startsWith('+') && !theirs.has(line.slice(1))
  const [from = '', to = '', ...lines] = diff.split('\n')
  return [from, to, ...lines.map((line) => (isOurs(line) ? line : redactedLine(line, redactor)))].join('\n')
}

function hiddenDiff({ path, before, mode, reasons }: FileChange): string {
  const head = [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${path}`]
  const hidden = `@@ mode 0${mode.toString(8)}, passwords not shown @@`
  return [...head, hidden, ...reasons.map(({ line }) => `+${line}`)].join('\n')
}

/** Without the mark in front, which is no part of it. */
function redactedLine(line: string, redactor: Redactor): string {
  return line.startsWith('@@') ? line : `${line.slice(0, 1)}${redactor.text(line.slice(1))}`
}

/** `NAME=value`, `- NAME: value`, with all that follows: a value may have blanks in it. */
const NAMED_LINE = /^[ \t-]*["']?([A-Za-z_][\w.-]*)["']?[ \t]*[:=][ \t]*(\S.*?)[ \t\r]*$/gm
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)-----END/g

/** What a single line of a diff does not tell to be a secret. */
function* secretsIn(text: string): Generator<string> {
  for (const [, name = '', value = ''] of text.matchAll(NAMED_LINE))
    if (isSecretName(name)) yield value.replace(/^(["'])(.*)\1$/, '$2')
  for (const [, key = ''] of text.matchAll(PRIVATE_KEY)) for (const line of key.split('\n')) yield line.trim()
}
