/**
 * What must be known about a statement before it is sent: that it does not end or begin transactions behind our
 * back, whether it only reads, and how many parameters it has.
 */
import { statementError } from './values.ts'

const SPACE_AND_COMMENTS = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/

/** Statements that change the connection and not the data: on a shared connection they would hit the next caller. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [
    /^(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b/i,
    'Use database.transaction(): it begins, commits and rolls back.',
  ],
  [/^SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)/i, 'Use SET LOCAL inside a transaction: connections are shared.'],
  [/^(LISTEN|UNLISTEN)\b/i, 'Use database.listen(): it keeps a connection of its own.'],
  [/^(ATTACH|DETACH)\b/i, 'Give the other database a createDatabase() of its own.'],
]

/** Refuses what would leave something behind on a shared connection. */
export function checkStatement(sql: string): void {
  const text = withoutLead(sql)
  if (text === '') throw statementError('The statement is empty.')
  for (const [pattern, advice] of REFUSED) {
    const found = pattern.exec(text)
    if (found !== null) throw statementError(`${found[0].trim().toUpperCase()} is not for query(). ${advice}`)
  }
}

/** A first guess for SQLite's reading connection, which refuses to write whatever this says. */
export function looksLikeRead(sql: string): boolean {
  return /^(SELECT|WITH|VALUES|EXPLAIN)\b/i.test(withoutLead(sql))
}

const QUOTED_OR_PARAMETER =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\d+)\b|[?]\d*|[$:@][A-Za-z_]\w*/g

/** The highest `$n` outside quotes and comments; refuses the other ways in which SQLite writes parameters. */
export function countParameters(sql: string): number {
  let highest = 0
  for (const [text, digits] of sql.matchAll(QUOTED_OR_PARAMETER)) {
    if (digits !== undefined) highest = Math.max(highest, Number(digits))
    else if (/^[?$:@]/.test(text)) throw statementError(`Parameters are written $1, $2 …; got ${text}.`)
  }
  return highest
}

/** Is there anything but white space, comments and a semicolon? */
export function isMeaningful(sql: string): boolean {
  return withoutLead(sql.replace(/^[\s;]+/, '')).replace(/^[\s;]+/, '') !== ''
}

function withoutLead(sql: string): string {
  return sql.replace(SPACE_AND_COMMENTS, '')
}
