/**
 * The matrix as text: a row for each cell, a column for each client library.
 */
import type { Cell } from './cell.ts'
import { figuresOf, type Spread } from './judge.ts'
import type { Measurement } from './run.ts'

const LEGEND = `max wait (worst) / detected / used again, in ms; medians of the repetitions · duplicates, ghosts, late ghosts`

export function tableOf(measurements: readonly Measurement[], cells: readonly Cell[]): string {
  const drivers = [...new Set(measurements.map(({ driver }) => driver))].toSorted()
  const rows = cells
    .map((cell) => measurements.filter((one) => one.cell === cell))
    .filter((row) => row.length > 0)
    .map((row) => [
      row[0]?.cell.name ?? '',
      ...drivers.map((driver) => entry(row.find((one) => one.driver === driver))),
    ])
  return [LEGEND, '', ...aligned([['fault', ...drivers], ...rows])].join('\n')
}

function entry(measurement: Measurement | undefined): string {
  if (measurement === undefined) return '–'
  const { waitMs, detectMs, returnMs, duplicates, ghosts, lateGhosts } = figuresOf(measurement)
  const wait = `${shown(waitMs.median)} (${shown(waitMs.worst)})`
  const boot = measurement.cell.phase === 'boot'
  return `${wait} / ${boot ? '–' : shown(detectMs.median)} / ${back(returnMs)} · ${duplicates}, ${ghosts}, ${lateGhosts}`
}

function back({ median }: Spread): string {
  return median === Infinity ? '–' : `+${shown(median)}`
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? String(Math.round(ms)) : '–'
}

/** A Markdown table whose columns line up. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [lines[0] ?? '', `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)]
}
