/** What the matrix says of each contender; of several calls the median of those made alone, and the worst of all. */
import type { Call, Result } from './play.ts'

export const HEADER: readonly string[] = [
  'under',
  'with',
  ...['up', 'dead: first', 'later', 'failed', 'first ok after restart'],
  ...['frozen: first', 'later', 'failed'],
  ...['process', 'log lines'],
]

export function rowOf(result: Result, capMs: number): string[] {
  const { adapter, up, dead, frozen, backMs } = result
  return [
    adapter.under,
    adapter.ours === true ? `**${adapter.name}**` : adapter.name,
    waits(up, capMs),
    ...outage(dead, capMs),
    backMs === undefined ? 'never' : shortMs(backMs),
    ...outage(frozen, capMs),
    process(result),
    String(result.logLines),
  ]
}

function outage([first, ...later]: readonly Call[], capMs: number): string[] {
  if (first === undefined) return ['–', '–', '–']
  return [waits([first], capMs), waits(later, capMs), failed([first, ...later])]
}

function waits(calls: readonly Call[], capMs: number): string {
  const all = msOf(calls)
  if (all.length === 0) return '–'
  const alone = msOf(calls.filter((call) => call.alone === true))
  const show = (ms = 0): string => (ms === Infinity ? `> ${capMs / 1000} s` : shortMs(ms))
  const [middle, worst] = [show(alone[alone.length >> 1] ?? all.at(-1)), show(all.at(-1))]
  return middle === worst ? worst : `${middle} · ${worst}`
}

/** Sorted. */
function msOf(calls: readonly Call[]): number[] {
  const ended = calls.filter(({ end }) => end !== 'died')
  return ended.map(({ ms, end }) => (end === 'hung' || end === 'stuck' ? Infinity : ms)).toSorted((a, b) => a - b)
}

/** `7 failed, 22 hung of 30`. */
function failed(calls: readonly Call[]): string {
  const asked = calls.filter(({ end }) => end !== 'died')
  const errors = asked.filter(({ end }) => end === 'error').length
  const hung = asked.filter(({ end }) => end === 'hung' || end === 'stuck').length
  const told = [errors > 0 ? `${errors} failed` : '', hung > 0 ? `${hung} hung` : ''].filter((text) => text !== '')
  return told.length === 0 ? '0' : `${told.join(', ')} of ${asked.length}`
}

function process({ ending, loopStuck }: Result): string {
  if (ending !== undefined) return `**ends (${ending})**`
  return loopStuck ? '**event loop stuck**' : 'lives'
}

function shortMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
