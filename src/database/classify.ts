/**
 * From what a client library, the operating system or SQLite threw to a row of the fault table, and from there to
 * the error a caller gets. Passwords never pass.
 */
import { DatabaseError } from '../errors.ts'
import type { Executed, Reason } from '../errors.ts'
import { FAULTS, UNKNOWN_FAULT, faultRow } from './faults.ts'
import type { FaultRow } from './faults.ts'

const SQLSTATE = /^[0-9A-Z]{5}$/

/** One occurrence of a row. */
export interface Fault {
  readonly row: FaultRow
  readonly reason: Reason
  readonly cause: unknown
}

/** Finds the row for an error. `place` is the database's address, without secrets. */
export function classify(error: unknown, place: string): Fault {
  if (error instanceof DatabaseError && error.reason !== undefined)
    return { row: faultRow(error.reason.code), reason: error.reason, cause: error.cause }
  const leaves = flatten(error)
  const [row, leaf] = firstMatch(leaves)
  return occurrence(row, { place, detail: messageOf(leaf), cause: error })
}

export interface Circumstances {
  /** The database's address, without secrets. */
  readonly place: string
  readonly detail?: string
  readonly cause?: unknown
}

/** An occurrence of a row that this folder noticed by itself. */
export function ownFault(code: string, circumstances: Circumstances): Fault {
  return occurrence(faultRow(code), circumstances)
}

/** The error for a caller. `executed` counts only where the server's verdict is unknown. */
export function faultError(fault: Fault, executed: Executed): DatabaseError {
  const { row, reason, cause } = fault
  const fate = row.uncertain === true ? executed : 'no'
  return new DatabaseError(row.error, reason.text, {
    executed: fate,
    reason,
    retryable: row.retryable === true && fate === 'no',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Text without the passwords of URLs and connection strings in it. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@]*@/gi, '$1:***@')
    .replace(/\b(password|passwd|pwd)(\s*[=:]\s*)('[^']*'|"[^"]*"|[^\s&]+)/gi, '$1$2***')
}

function occurrence(row: FaultRow, { place, detail = '', cause }: Circumstances): Fault {
  const said = withoutSecrets(detail)
  const text = said === '' ? `${row.text} (${place}).` : `${row.text} (${place}): ${said}`
  return { row, reason: { code: row.code, text, nextStep: row.nextStep }, cause }
}

function firstMatch(leaves: readonly unknown[]): readonly [FaultRow, unknown] {
  for (const leaf of leaves) {
    const row = rowOf(leaf)
    if (row !== undefined) return [row, leaf]
  }
  return [UNKNOWN_FAULT, leaves[0]]
}

function rowOf(error: unknown): FaultRow | undefined {
  const { code, errcode, fatal } = fieldsOf(error)
  if (errcode !== undefined) return bySqlite(errcode)
  const fromServer = code !== undefined && SQLSTATE.test(code)
  // The text of an ordinary error may quote what a user typed, so only words of the client, and last words of the server, count.
  if (!fromServer || fatal) {
    const message = messageOf(error)
    const spoken = FAULTS.find((row) => row.pattern?.test(message) === true)
    if (spoken !== undefined) return spoken
  }
  if (code === undefined) return undefined
  if (fatal && code === '08P01') return faultRow('lost')
  return FAULTS.find((row) => row.errnos?.includes(code) === true) ?? (fromServer ? bySqlstate(code) : undefined)
}

function bySqlstate(code: string): FaultRow | undefined {
  const has = (text: string): FaultRow | undefined => FAULTS.find((row) => row.sqlstates?.includes(text) === true)
  return has(code) ?? has(code.slice(0, 2))
}

function bySqlite(errcode: number): FaultRow | undefined {
  const has = (number: number): FaultRow | undefined => FAULTS.find((row) => row.sqlite?.includes(number) === true)
  return has(errcode) ?? has(errcode & 0xff)
}

/** An AggregateError has an empty message of its own: its members say what happened. */
function flatten(error: unknown): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors.flatMap(flatten)
  return [error]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface ErrorFields {
  readonly code: string | undefined
  readonly errcode: number | undefined
  readonly fatal: boolean
}

function fieldsOf(error: unknown): ErrorFields {
  if (typeof error !== 'object' || error === null) return { code: undefined, errcode: undefined, fatal: false }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const errcode = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
  const fatal = 'severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')
  return { code, errcode, fatal }
}
