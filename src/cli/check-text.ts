/** Diagnoses in words. */
import { failureOf, type Diagnosis, type Layer } from '../operate/index.ts'
import type { Paint } from './terminal.ts'

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const
const KINDS = { redis: 'Redis', postgres: 'PostgreSQL', http: 'HTTP', tcp: 'TCP' } as const
const NAME_WIDTH = 10
/** Longer ones are words of a server; they take the place of the time. */
const DETAIL_WIDTH = 52

/** For people: one paragraph per endpoint, one line per layer, cause and mend below what is wrong. */
export function asNote(diagnoses: readonly Diagnosis[], paint: Paint): string {
  return diagnoses.map((diagnosis) => paragraph(diagnosis, paint)).join('\n')
}

function paragraph(diagnosis: Diagnosis, paint: Paint): string {
  const { served, kind, place, source, layers } = diagnosis
  const state = served ? 'ok' : 'failed'
  const head = `${paint(state, MARKS[state])} ${KINDS[kind]} ${place}  ${paint('dim', `(${source})`)}`
  return [head, ...layers.flatMap((layer) => linesOf(layer, paint))].map((line) => `${line}\n`).join('')
}

function linesOf({ name, state, detail, ms, finding }: Layer, paint: Paint): string[] {
  const line = `  ${paint(state, MARKS[state])} ${name.padEnd(NAME_WIDTH)}  ${detail.padEnd(DETAIL_WIDTH)}`
  const time = `  ${paint('dim', `${ms.toFixed(1)} ms`.padStart(10))}`
  const timed = detail.length > DETAIL_WIDTH ? line : `${line}${time}`
  if (finding === undefined) return [timed]
  return [
    timed,
    `      ${paint(state, 'cause')}  ${finding.meaning} [${finding.code}]`,
    `      do     ${finding.nextStep}`,
  ]
}

/** For logs: `Redis 127.0.0.1:6379: tcp: connect ECONNREFUSED 127.0.0.1:6379 (The machine is there, …)`. */
export function inOneLine(diagnosis: Diagnosis): string {
  const head = `${KINDS[diagnosis.kind]} ${diagnosis.place}`
  const failure = failureOf(diagnosis)
  if (failure?.finding === undefined) return `${head}: served`
  const { code, meaning } = failure.finding
  const exact = failure.detail === meaning ? '' : `: ${failure.detail.replace(/\.$/, '')}`
  return `${head}: ${failure.name}${exact}. ${meaning} [${code}]`
}

/** For machines; times in milliseconds. */
export function asJson(diagnoses: readonly Diagnosis[]): string {
  const served = diagnoses.every((diagnosis) => diagnosis.served)
  const endpoints = diagnoses.map((diagnosis) => {
    const failure = failureOf(diagnosis)
    const failed = failure === undefined ? null : { layer: failure.name, ...failure.finding }
    return { ...diagnosis, failed }
  })
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 100) / 100 : value
  return `${JSON.stringify({ served, endpoints }, rounded, 2)}\n`
}
