/**
 * What a test run has to say after its tests: the slowest files, every skipped test with its reason,
 * files that ran no test, and last of all node:test's own counts.
 */
import type { TestEvent } from 'node:test/reporters'

const COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/
const SLOWEST = 5

/** Collects the events of one run. */
export class TestReport {
  readonly #counts: string[] = []
  readonly #skipped: string[] = []
  readonly #files: { name: string; durationMs: number }[] = []
  readonly #running = new Map<string, number>()
  readonly #empty = new Set<string>()
  readonly #failed = new Set<string>()
  #succeeded = false

  /** Takes an event in; false when it is one of the final counts, which are printed at the very end. */
  add(event: TestEvent, now: number): boolean {
    if (event.type === 'test:diagnostic') return !this.#takeCount(event.data)
    if (event.type === 'test:dequeue' && isFile(event.data)) this.#running.set(event.data.name, now)
    if (event.type === 'test:complete' && isFile(event.data)) this.#fileEnded(event.data.name, now)
    if (event.type === 'test:pass') this.#passed(event.data)
    // A file that crashed, was killed or hung has no summary: it fails as a whole.
    if (event.type === 'test:fail' && isFile(event.data)) this.#failed.add(event.data.name)
    if (event.type === 'test:summary') this.#summed(event.data)
    return true
  }

  /** Files that have been running for longer than the limit. */
  overdue(now: number, limitMs: number): string[] {
    return [...this.#running].filter(([, since]) => now - since > limitMs).map(([name]) => name)
  }

  /** True when node:test says so and no file was empty. */
  get succeeded(): boolean {
    return this.#succeeded && this.#empty.size === 0
  }

  /** Files in which something failed. */
  get failedFiles(): string[] {
    return [...this.#failed]
  }

  /** Did every file hold a test? */
  get complete(): boolean {
    return this.#empty.size === 0
  }

  /** The lines after the tests; remarks stand before the counts, which come last. */
  lines(remarks: readonly string[] = []): string[] {
    return [...this.#slowestLines(), ...this.#skippedLines(), ...this.#emptyLines(), ...remarks, ...this.#counts]
  }

  /** The counts in one line. */
  get countsInShort(): string {
    return this.#counts.map((line) => line.replace('ℹ ', '')).join(', ')
  }

  #takeCount({ nesting, message, file }: { nesting: number; message: string; file?: string | undefined }): boolean {
    const isCount = nesting === 0 && file === undefined && COUNTS.test(message)
    if (isCount) this.#counts.push(`ℹ ${message}`)
    return isCount
  }

  #fileEnded(name: string, now: number): void {
    this.#files.push({ name, durationMs: now - (this.#running.get(name) ?? now) })
    this.#running.delete(name)
  }

  #passed(data: PassedTest): void {
    // A file that holds no test is reported as one passed test with the name of the file.
    if (isFile(data)) this.#empty.add(data.name)
    const { skip, todo } = data
    if (isSet(skip)) this.#skipped.push(`${where(data)} ${data.name}: ${reason(skip)}`)
    if (isSet(todo)) this.#skipped.push(`${where(data)} ${data.name}: to do, ${reason(todo)}`)
  }

  #summed({ file, success, counts }: { file: string | undefined; success: boolean; counts: { tests: number } }): void {
    if (file === undefined) this.#succeeded = success && counts.tests > 0
    else if (counts.tests === 0) this.#empty.add(relative(file))
    if (file !== undefined && !success) this.#failed.add(relative(file))
  }

  #slowestLines(): string[] {
    const slowest = this.#files.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST)
    const allMs = this.#files.reduce((sum, { durationMs }) => sum + durationMs, 0)
    return [
      '',
      `Slowest of ${this.#files.length} files, which took ${seconds(allMs)} one by one`,
      ...slowest.map(({ name, durationMs }) => `  ${seconds(durationMs)} ${name}`),
    ]
  }

  #skippedLines(): string[] {
    if (this.#skipped.length === 0) return ['', 'No test was skipped.']
    return ['', `Skipped (${this.#skipped.length})`, ...this.#skipped.map((line) => `  ${line}`)]
  }

  #emptyLines(): string[] {
    return [...[...this.#empty].map((file) => `✖ ${file} ran no test: a test file without a test is an error`), '']
  }
}

interface PassedTest {
  readonly name: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** The event of a whole file: it carries no `entryFile`, for it is the entry. */
function isFile(data: object): boolean {
  return !('entryFile' in data)
}

function isSet(mark: string | boolean | undefined): mark is string | true {
  return mark !== undefined && mark !== false
}

function reason(mark: string | true): string {
  return mark === true || mark === '' ? 'no reason given' : mark
}

function where({ file = '', line = 0 }: PassedTest): string {
  return `${relative(file)}:${line}`
}

function relative(file: string): string {
  return file.replace(`${process.cwd()}/`, '')
}
