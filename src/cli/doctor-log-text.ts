/** What logs tell, in words. */
import type { LogSummary, Sighting } from '../operate/index.ts'
import { remedyLines, wrapped } from './doctor-text.ts'
import type { Paint } from './terminal.ts'

const MARKS = { fail: '✗', warn: '!', info: 'i' } as const
const TONES = { fail: 'failed', warn: 'warning', info: 'info' } as const
const SERVICES = { redis: 'Redis', postgres: 'PostgreSQL', host: 'machine', unknown: 'unknown' } as const

/** For people: one paragraph per log, the heaviest sign first, each with its next step and the checks that go on from there. */
export function logsAsNote(logs: readonly LogSummary[], paint: Paint): string {
  return logs.map((log) => `${paragraph(log, paint).join('\n')}\n`).join('\n')
}

function paragraph(log: LogSummary, paint: Paint): string[] {
  const { source, lines, firstAt, lastAt, skippedBytes, sightings } = log
  const [worst] = sightings
  const mark = worst === undefined ? paint('ok', '✓') : paint(TONES[worst.weight], MARKS[worst.weight])
  const span = firstAt === undefined || lastAt === undefined ? '' : `, ${firstAt} to ${lastAt}`
  const part = skippedBytes > 0 ? `, the end of it (${skippedBytes} bytes before it were not read)` : ''
  const head = `${mark} ${paint('strong', source)}  ${lines} lines${span}${part}`
  if (worst === undefined) return [head, '  Nothing in it tells of trouble.']
  return [head, ...sightings.flatMap((sighting) => sightingLines(sighting, paint))]
}

function sightingLines(sighting: Sighting, paint: Paint): string[] {
  const { weight, service, code, meaning, nextStep, example, checks } = sighting
  const [first = '', ...rest] = wrapped(`${SERVICES[service]}: ${meaning} [${code}]`, '    ')
  const dim = (line: string): string => paint('dim', line)
  return [
    `  ${paint(TONES[weight], MARKS[weight])} ${first.trimStart()}`,
    ...rest,
    ...wrapped(countOf(sighting), '      · ', dim),
    ...wrapped(example, '      · ', dim),
    ...remedyLines('do', { text: nextStep, commands: seeAlso(checks) }, '    '),
  ]
}

function countOf({ count, firstAt, lastAt, places }: Sighting): string {
  const times =
    firstAt === undefined || lastAt === undefined ? '' : count === 1 ? `, ${firstAt}` : `, ${firstAt} to ${lastAt}`
  const where = places.length === 0 ? '' : `, at ${places.join(', ')}`
  return `${count} ${count === 1 ? 'line' : 'lines'}${times}${where}`
}

function seeAlso(checks: readonly string[]): readonly string[] {
  return checks.length === 0 ? [] : [`evenkeel doctor ${checks.join(' ')}`]
}

/** For machines. */
export function logsAsJson(logs: readonly LogSummary[]): string {
  return `${JSON.stringify({ ok: !logs.some(fails), logs }, undefined, 2)}\n`
}

export function fails({ sightings }: LogSummary): boolean {
  return sightings.some(({ weight }) => weight === 'fail')
}
