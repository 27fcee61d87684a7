/** A run as text. */
import { percentile } from '../../support/statistics.ts'
import type { Run } from './chaos.ts'
import type { Span } from './faults.ts'
import { judge, ORDER_BUDGET_MS, type PhaseFigures } from './judge.ts'

const HEADER = [
  'while',
  'orders',
  'refused',
  `over ${ORDER_BUDGET_MS} ms`,
  'order p50',
  'p99',
  'max',
  'task starts p50',
  'p99',
  'by Redis',
]

export function tableOf(run: Run): string {
  const { seed, engine, seconds, withoutFence = false } = run.options
  const { phases, vanished, lost, doubled, hintsBackMs } = judge(run)
  const fence = withoutFence ? ', fence removed' : ''
  const rows = phases.filter(({ orders }) => orders > 0).map(rowOf)
  return [
    `${engine}${fence}: ${seconds} s of chaos, seed ${seed}: ${befell(run.spans)}`,
    '',
    ...aligned([HEADER, ...rows]),
    '',
    `${run.fates.length} orders placed, ${run.orders.size} stored: ${vanished.length} vanished, ${lost.length} lost, ` +
      `${doubled.length} done twice; ${run.fenced} late ends fenced`,
    `first task by hint after Redis was back (and not held back for flapping): ${hintsBackMs.map((value) => `${Math.round(value)} ms`).join(', ')}`,
  ].join('\n')
}

function befell(spans: readonly Span[]): string {
  const moved = spans.reduce((sum, span) => sum + (span.moved ?? 0), 0)
  const counts = [...Map.groupBy(spans, ({ fault }) => fault)].map(([fault, all]) => `${fault} ${all.length}×`)
  return [...counts, ...(moved === 0 ? [] : [`${moved} pauses moved off a write`])].join(', ')
}

function rowOf({ phase, orders, refused, slow, waits, starts, byRedis }: PhaseFigures): string[] {
  return [
    phase,
    String(orders),
    String(refused),
    String(slow),
    ...[0.5, 0.99, 1].map((share) => ms(percentile(waits, share))),
    ...[0.5, 0.99].map((share) => ms(percentile(starts, share))),
    `${Math.round(byRedis * 100)} %`,
  ]
}

function ms(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

/** A Markdown table whose columns line up. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [lines[0] ?? '', `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)]
}
