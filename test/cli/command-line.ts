/** Runs the command line as its users do: a process of its own, of which the exit code and the words count. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Diagnosis, DoctorReport } from '../../src/operate/index.ts'
import { root } from '../../scripts/project.ts'

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface RunOptions {
  /** All the process finds beside PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** A program with arguments that starts it, such as `unshare`. */
  readonly launcher?: readonly string[]
}

/** Loading the sources is most of what a run costs; the second one finds them compiled. */
const COMPILED = join(tmpdir(), 'evenkeel-compiled')
const COMMAND = [process.execPath, '--conditions=evenkeel-source', `${root}/src/cli/main.ts`]

export async function evenkeel(args: readonly string[], { env = {}, launcher = [] }: RunOptions = {}): Promise<Run> {
  const [program = '', ...rest] = [...launcher, ...COMMAND, ...args]
  const startedAt = performance.now()
  const child = spawn(program, rest, {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject))
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr, ms: performance.now() - startedAt }
}

/** Of util-linux: runs a command on a terminal of its own. */
const TERMINAL = 'script'

/** Why `onTerminal` cannot run here; undefined where it can. */
export function noTerminal(): string | undefined {
  return spawnSync(TERMINAL, ['--version']).status === 0 ? undefined : 'There is no `script` of util-linux here.'
}

/** As `evenkeel()`, on a terminal of its own: what is printed and what is typed go through it, so all of it is in `stdout`. */
export async function onTerminal(args: readonly string[], typed = ''): Promise<Run> {
  const startedAt = performance.now()
  const line = [...COMMAND, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn(TERMINAL, ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // Left open: an end of the input would be one on the terminal too.
  child.stdin.write(typed)
  const ended = new Promise<number | null>((resolve, reject) => child.on('exit', resolve).on('error', reject))
  const [code, stdout] = await Promise.all([ended.finally(() => child.stdin.end()), text(child.stdout)])
  return { code, stdout, stderr: '', ms: performance.now() - startedAt }
}

/** What `--json` prints. */
export interface Report {
  readonly served: boolean
  readonly endpoints: readonly (Diagnosis & {
    readonly failed: { readonly layer: string; readonly code: string; readonly error?: string } | null
  })[]
}

export interface Examined {
  readonly note: string
  readonly report: Report
  /** The first endpoint. */
  readonly diagnosis: Report['endpoints'][number]
}

export interface ExamineOptions extends RunOptions {
  /** May stand in no output. */
  readonly secrets?: readonly string[]
  /** Given as `--timeout`. @default 2000 */
  readonly timeoutMs?: number
}

/** On a machine that is busy with other tests: until the process runs, and until a timer that is due is noticed. */
const START_MS = 4000
const LATE_MS = 1000

/** Runs `check` for people and for programs; both must agree, keep the budget, and show no secret. */
export async function examine(args: readonly string[], options: ExamineOptions = {}): Promise<Examined> {
  const { secrets = [], timeoutMs = 2000 } = options
  const all = ['check', '--timeout', `${timeoutMs}ms`, ...args]
  const [human, machine] = await Promise.all([evenkeel(all, options), evenkeel([...all, '--json'], options)])
  const report = JSON.parse(machine.stdout || 'null') as Report | null
  const [diagnosis] = report?.endpoints ?? []
  assert.ok(report !== null && diagnosis !== undefined, machine.stderr)
  for (const { code } of [human, machine]) assert.equal(code, report.served ? 0 : 1, human.stdout + human.stderr)
  for (const endpoint of report.endpoints) assert.ok(endpoint.ms <= timeoutMs + LATE_MS, `took ${endpoint.ms} ms`)
  for (const { ms } of [human, machine]) assert.ok(ms <= timeoutMs + START_MS, `the process took ${ms} ms`)
  const output = [human, machine].map(({ stdout, stderr }) => stdout + stderr).join('')
  for (const secret of secrets) assert.ok(!output.includes(secret), `shows '${secret}': ${output}`)
  return { note: human.stdout, report, diagnosis }
}

export interface Expected extends ExamineOptions {
  readonly layer: string
  readonly code: string
  /** The exact words that were met, where there are any. */
  readonly error?: RegExp
}

/** The endpoint is not served, and the first layer that fails is named with words, meaning and mend. */
export async function assertNotServed(args: readonly string[], expected: Expected): Promise<Examined> {
  const examined = await examine(args, expected)
  const { failed, layers } = examined.diagnosis
  assert.deepEqual([failed?.layer, failed?.code], [expected.layer, expected.code], examined.note)
  if (expected.error !== undefined) assert.match(failed?.error ?? '', expected.error)
  assert.equal(layers.at(-1)?.state, 'failed')
  assert.match(examined.note, new RegExp(`^ {2}✗ ${expected.layer} `, 'm'))
  assert.match(examined.note, new RegExp(`^ {6}cause .+ \\[${expected.code}\\]\\n {6}do {5}\\S.+`, 'm'))
  return examined
}

/** The endpoint is served; returns what was seen. */
export async function assertServed(args: readonly string[], options: ExamineOptions = {}): Promise<Examined> {
  const examined = await examine(args, options)
  assert.equal(examined.report.served, true, examined.note)
  return examined
}

export function layerNames({ diagnosis }: Examined): string[] {
  return diagnosis.layers.map(({ name }) => name)
}

/** What `doctor --json` prints. */
export interface DoctorOutput {
  readonly ok: boolean
  readonly endpoints: readonly DoctorEndpoint[]
}

export type DoctorEndpoint = Pick<DoctorReport, 'place' | 'source' | 'findings' | 'ms'> & {
  readonly served: boolean
  readonly failed: { readonly layer: string; readonly code: string; readonly error?: string } | null
  readonly verdict: DoctorReport['verdict'] | null
}

export interface Examination extends DoctorEndpoint {
  readonly note: string
}

/** The doctor looks a second time after a moment, and at more than one thing. */
const DOCTOR_MS = 6000

/** Runs `doctor` for people and for programs; both must agree, keep the budget, and show no secret. */
export async function diagnosed(args: readonly string[], options: ExamineOptions = {}): Promise<Examination> {
  const { secrets = [], timeoutMs = DOCTOR_MS } = options
  const all = ['doctor', '--timeout', `${timeoutMs}ms`, ...args]
  const [human, machine] = await Promise.all([evenkeel(all, options), evenkeel([...all, '--json'], options)])
  const output = JSON.parse(machine.stdout || 'null') as DoctorOutput | null
  const [endpoint] = output?.endpoints ?? []
  assert.ok(output !== null && endpoint !== undefined, machine.stderr)
  for (const { code } of [human, machine]) assert.equal(code, output.ok ? 0 : 1, human.stdout + human.stderr)
  for (const { ms } of output.endpoints) assert.ok(ms <= timeoutMs + LATE_MS, `took ${ms} ms`)
  const words = [human, machine].map(({ stdout, stderr }) => stdout + stderr).join('')
  for (const secret of secrets) assert.ok(!words.includes(secret), `shows '${secret}': ${words}`)
  for (const { check, state, summary, fix } of endpoint.findings) {
    assert.notEqual(state, 'error', `${check}: ${summary}`)
    if (state === 'fail') assert.ok(fix !== undefined, `${check} says what to do`)
  }
  return { ...endpoint, note: human.stdout }
}

export interface Cause extends ExamineOptions {
  /** Id of the check that is to name the cause. */
  readonly check: string
  /** Evidence of that check, or its summary. */
  readonly evidence: RegExp
  /** What a client meets; undefined: it is served all the same. */
  readonly code?: string
}

/** The doctor names this cause before all others, with evidence and a mend. */
export async function assertCause(args: readonly string[], cause: Cause): Promise<Examination> {
  const examination = await diagnosed(args, cause)
  const { note, verdict, failed, findings } = examination
  assert.equal(verdict?.check, cause.check, note)
  assert.equal(failed?.code, cause.code, note)
  const found = findings.filter(({ check }) => check === cause.check)
  const words = found.flatMap(({ summary, evidence }) => [summary, ...evidence]).join('\n')
  assert.match(words, cause.evidence)
  const lead = '(Most likely|First of what should be looked at): '
  assert.match(note, new RegExp(`^ {2}${lead}[^]*?\\[${cause.check}\\]\n {2}do {5}\\S`, 'm'))
  return examination
}

/** The rules that `--acl` prints, as ACL SETUSER takes them. */
export async function printedRules(): Promise<string[]> {
  const { stdout } = await evenkeel(['doctor', '--acl'])
  const [, rules = ''] = /redis-cli -x ACL SETUSER evenkeel-doctor reset on (.+)$/m.exec(stdout) ?? []
  return [...rules.matchAll(/'([^']+)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
