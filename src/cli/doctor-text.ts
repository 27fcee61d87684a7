/** What the doctor found, in words. */
import {
  DOCTOR_LAYERS,
  failureOf,
  type DoctorCheck,
  type DoctorFinding,
  type DoctorReport,
  type Remedy,
} from '../operate/index.ts'
import type { Paint } from './terminal.ts'

type State = DoctorFinding['state']

const MARKS: Readonly<Record<State, string>> = {
  ok: '✓',
  info: 'i',
  warn: '!',
  fail: '✗',
  'not-permitted': '–',
  'not-available': '–',
  'not-applicable': '–',
  error: '?',
}
const TONES = {
  ok: 'ok',
  info: 'info',
  warn: 'warning',
  fail: 'failed',
  'not-permitted': 'warning',
  'not-available': 'dim',
  'not-applicable': 'dim',
  error: 'warning',
} as const satisfies Record<State, Parameters<Paint>[0]>
const KINDS = { redis: 'Redis', postgres: 'PostgreSQL', http: 'HTTP', tcp: 'TCP' } as const
/** These speak for themselves; of the others a line says how many there are. */
const TOLD: readonly State[] = ['fail', 'warn', 'info', 'error']
const SUMS: readonly (readonly [State, string])[] = [
  ['ok', 'ok'],
  ['not-permitted', 'not permitted'],
  ['not-available', 'not available here'],
  ['not-applicable', 'nothing to judge'],
]
const WIDTH = 120
/** More than these are a number. */
const NAMED = 3

/** For people: per endpoint the verdict, then the findings by layer, the worst of each first. */
export function asNote(reports: readonly DoctorReport[], paint: Paint, verbose = false): string {
  return reports.map((report) => `${paragraphs(report, paint, verbose).join('\n')}\n`).join('\n')
}

function paragraphs(report: DoctorReport, paint: Paint, verbose: boolean): string[] {
  const layers = DOCTOR_LAYERS.map((layer) => report.findings.filter((finding) => finding.layer === layer))
  return [
    ...head(report, paint),
    ...layers.filter((findings) => findings.length > 0).flatMap((findings) => layerLines(findings, paint, verbose)),
  ]
}

function head(report: DoctorReport, paint: Paint): string[] {
  const { kind, place, source, verdict, diagnosis, findings } = report
  const fails = findings.filter(({ state }) => state === 'fail').length
  const warns = findings.filter(({ state }) => state === 'warn').length
  const state = fails > 0 ? 'fail' : warns > 0 ? 'warn' : 'ok'
  const serves = diagnosis.layers.length === 0 ? '' : diagnosis.served ? 'It serves. ' : 'It does not serve. '
  const counted = `${serves}${fails} fail, ${warns} warn, of ${findings.length} findings.`
  const title = `${paint(TONES[state], MARKS[state])} ${paint('strong', `${KINDS[kind]} ${place}`)}  ${paint('dim', `(${source})`)}  ${counted}`
  if (verdict === undefined) return [title, '  Nothing wrong, as far as could be seen.']
  const lead = fails > 0 ? 'Most likely: ' : 'First of what should be looked at: '
  return [
    title,
    ...wrapped(`${lead}${verdict.summary} [${verdict.check}]`, '  ', (line) => paint(TONES[state], line)),
    ...remedyLines('do', verdict.fix, '  '),
  ]
}

function layerLines(findings: readonly DoctorFinding[], paint: Paint, verbose: boolean): string[] {
  const told = findings.filter(({ state }) => verbose || TOLD.includes(state))
  const sorted = told.toSorted((one, other) => rank(one.state) - rank(other.state))
  const sums = verbose ? [] : SUMS.flatMap(([state, words]) => sumOf(findings, state, words))
  return [
    '',
    paint('strong', findings[0]?.layer ?? ''),
    ...sorted.flatMap((finding) => findingLines(finding, paint)),
    ...(sums.length === 0 ? [] : [`  ${paint('dim', sums.join(', '))}`]),
  ]
}

function rank(state: State): number {
  const at = TOLD.indexOf(state)
  return at < 0 ? TOLD.length : at
}

/** `3 not permitted (security.users, …)`; `12 ok`; `9 not available here: the server could not be asked: …`. */
function sumOf(findings: readonly DoctorFinding[], state: State, words: string): string[] {
  const these = findings.filter((finding) => finding.state === state)
  const [first] = these
  if (first === undefined) return []
  const count = `${these.length} ${words}`
  if (state === 'not-permitted' || (state === 'not-available' && these.length <= NAMED))
    return [`${count} (${these.map(({ check }) => check).join(', ')})`]
  const sameReason = state === 'not-available' && these.every(({ summary }) => summary === first.summary)
  return [sameReason ? `${count}: ${first.summary}` : count]
}

function findingLines(finding: DoctorFinding, paint: Paint): string[] {
  const { state, summary, check, evidence, why, fix, undo } = finding
  const mark = paint(TONES[state], MARKS[state])
  const [first = '', ...rest] = wrapped(`${summary} [${check}]`, '    ')
  const line = [
    `  ${mark} ${first.trimStart()}`,
    ...rest,
    ...evidence.flatMap((fact) => wrapped(fact, '      · ', dimly(paint))),
  ]
  if (state === 'info') return [...line, ...remedyLines('do', fix, '    ')]
  if (state !== 'fail' && state !== 'warn') return line
  return [
    ...line,
    ...labelled('why', why, '    '),
    ...remedyLines('do', fix, '    '),
    ...remedyLines('undo', undo, '    '),
  ]
}

function dimly(paint: Paint): (line: string) => string {
  return (line) => paint('dim', line)
}

export function remedyLines(label: string, remedy: Remedy | undefined, indent: string): string[] {
  if (remedy === undefined) return []
  const { text, commands = [] } = remedy
  return [...labelled(label, text, indent), ...commands.map((command) => `${indent}       $ ${command}`)]
}

function labelled(label: string, text: string, indent: string): string[] {
  const [first = '', ...rest] = wrapped(text, `${indent}       `)
  return [`${indent}${label.padEnd(5)}  ${first.trimStart()}`, ...rest]
}

/** Lines of at most 120 characters, each with the indentation; what follows a `· ` is indented below it. */
export function wrapped(text: string, indent: string, change: (line: string) => string = (line) => line): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  const hanging = indent.replace('·', ' ')
  return [...lines, line].map((each, index) => `${index === 0 ? indent : hanging}${change(each)}`)
}

/** For machines; times in milliseconds. */
export function asJson(reports: readonly DoctorReport[]): string {
  const ok = reports.every(({ findings }) => findings.every(({ state }) => state !== 'fail'))
  const endpoints = reports.map(({ diagnosis, verdict = null, findings, ...report }) => {
    const failure = failureOf(diagnosis)
    const failed = failure === undefined ? null : { layer: failure.name, ...failure.finding }
    return { ...report, served: diagnosis.served, failed, verdict, findings, layers: diagnosis.layers }
  })
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 100) / 100 : value
  return `${JSON.stringify({ ok, endpoints }, rounded, 2)}\n`
}

/** `--list --json`: the catalogue for programs. */
export function catalogueJson(checks: readonly DoctorCheck[]): string {
  const all = checks.map(({ id, layer, severity, title, why }) => ({ id, layer, severity, title, why }))
  return `${JSON.stringify({ checks: all }, null, 2)}\n`
}

/** `--list`: one line per check. */
export function listOfChecks(checks: readonly DoctorCheck[]): string {
  const width = Math.max(...checks.map(({ id }) => id.length))
  return checks.map(({ id, severity, title }) => `${id.padEnd(width)}  ${severity.padEnd(4)}  ${title}\n`).join('')
}
