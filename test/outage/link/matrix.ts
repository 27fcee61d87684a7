/**
 * The fault matrix of the link, in the order of its table.
 */
import type { Cell } from './cell.ts'
import { ENCRYPTED_CELLS } from './cells/encrypted.ts'
import { NAME_CELLS } from './cells/names.ts'
import { CLOSING_CELLS, SILENT_CELLS, SLOW_CELLS } from './cells/network.ts'
import { PARTITION_CELLS } from './cells/partition.ts'
import { SERVER_CELLS } from './cells/server.ts'

export const CELLS: readonly Cell[] = [
  ...SERVER_CELLS,
  ...CLOSING_CELLS,
  ...SILENT_CELLS,
  ...SLOW_CELLS,
  ...NAME_CELLS,
  ...ENCRYPTED_CELLS,
  ...PARTITION_CELLS,
]

/** Cells that are played at the same time, each on a server of its own; more would measure each other. */
export const AT_ONCE = 9

/** The longest first, so that the short ones fill the gaps. */
export const TOGETHER: readonly Cell[] = CELLS.filter(({ alone }) => alone !== true).toSorted(
  (a, b) => durationOf(b) - durationOf(a),
)

/** One after the other, when the others are over. */
export const ALONE: readonly Cell[] = CELLS.filter(({ alone }) => alone === true)

function durationOf({ faultMs, repetitions = 3, expect }: Cell): number {
  return (faultMs + (expect.returnMs ?? 0)) * repetitions
}
