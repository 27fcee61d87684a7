/**
 * Everything that goes wrong on the durable side, in one table: what it is called, what it means for the whole
 * database, which error a caller gets, the cause in plain words and the next step.
 */
import { BUSY_FAULTS, WRITE_FAULTS } from './faults/busy-faults.ts'
import type { FaultRow } from './faults/fault-row.ts'
import { SERVER_FAULTS } from './faults/server-faults.ts'
import { SETTINGS_FAULTS } from './faults/settings-faults.ts'
import { STATEMENT_FAULTS } from './faults/statement-faults.ts'

export type { FaultRow }

/** For what no row knows. */
export const UNKNOWN_FAULT: FaultRow = {
  code: 'unclassified',
  scope: 'connection',
  error: 'DATABASE_LOST',
  uncertain: true,
  text: 'The database failed in a way that is not in the fault table',
  nextStep: 'Read the cause below and the log of the database.',
}

/** The whole table. */
export const FAULTS: readonly FaultRow[] = [
  ...SERVER_FAULTS,
  ...SETTINGS_FAULTS,
  ...WRITE_FAULTS,
  ...BUSY_FAULTS,
  ...STATEMENT_FAULTS,
]

/** The row of a code that this folder uses itself. */
export function faultRow(code: string): FaultRow {
  return FAULTS.find((row) => row.code === code) ?? UNKNOWN_FAULT
}
