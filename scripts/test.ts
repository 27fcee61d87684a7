/**
 * `npm test`: every test of the project in one run of node:test, unit tests first.
 * `npm test -- outage/link` runs the files whose path contains one of the words.
 */
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'
import { pipeline } from 'node:stream/promises'
import { requireProgram } from '../test/support/provision.ts'
import { root } from './project.ts'
import { TestReport } from './test-report.ts'

/**
 * Real servers are paused, flooded and timed: too many files at once would measure each other. Most of it is waiting, though:
 * 2,160 s of 290 files took 726 s three at a time, and two cores were at work for two thirds of that.
 */
const CONCURRENCY = 3
/** When more files than this fail, it is no matter of time. */
const SECOND_LOOK_FILES = 6
/** A test that says nothing else may take this long. */
const TEST_LIMIT_MS = 120_000
/** A file that still runs by then hangs, and would hang the run with it. */
const FILE_LIMIT_MS = 300_000

/** What is quick and what the rest builds on comes first. */
const ORDER = [
  'src/',
  'scripts/',
  'examples/',
  'test/support/',
  'test/conformance/',
  'test/outage/',
  'test/simulation/',
  '',
]

const files = selectFiles(process.argv.slice(2))
await provision(files)
process.exitCode = (await runWithSecondLook(files)) ? 0 : 1

function selectFiles(words: readonly string[]): string[] {
  const all = globSync('{src,scripts,examples,test}/**/*.test.ts', { cwd: root })
  const chosen = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  if (chosen.length === 0) throw new Error(`No test file has ${words.join(' or ')} in its path.`)
  const rank = (file: string): number => ORDER.findIndex((prefix) => file.startsWith(prefix))
  return chosen.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

/** Finds or installs the servers before the first test, so that a missing one is told once and at once. */
async function provision(chosen: readonly string[]): Promise<void> {
  if (!chosen.some((file) => file.startsWith('test/'))) return
  for (const program of ['redis-server', 'postgres', 'initdb', 'openssl'] as const)
    console.log(`${program}: ${await requireProgram(program)}`)
}

/**
 * Deadlines are measured here, and two cores that start servers for two files at once can miss any deadline. So what
 * failed in a few files is looked at again, one file at a time; that it failed at first is said, and is to be looked into.
 */
async function runWithSecondLook(chosen: readonly string[]): Promise<boolean> {
  const first = await runFiles(chosen, CONCURRENCY)
  console.log(first.lines().join('\n'))
  const failed = first.failedFiles
  const worthIt = first.complete && failed.length > 0 && failed.length <= SECOND_LOOK_FILES && chosen.length > 1
  if (first.succeeded || !worthIt) return first.succeeded
  console.log(`\nFailed beside other files, now looked at again one by one: ${failed.join(', ')}\n`)
  const second = await runFiles(failed, 1)
  const remarks = [`All files at first: ${first.countsInShort}`, `Looked at again: ${failed.join(', ')}`, '']
  console.log(second.lines(remarks).join('\n'))
  return second.succeeded
}

async function runFiles(chosen: readonly string[], concurrency: number): Promise<TestReport> {
  const report = new TestReport()
  const stuck = new AbortController()
  const watch = setInterval(() => abortWhenStuck(report, stuck), 1000)
  const events = run({
    files: chosen,
    cwd: root,
    concurrency,
    execArgv: ['--conditions=evenkeel-source'],
    timeout: TEST_LIMIT_MS,
    signal: stuck.signal,
  })
  await pipeline(withoutCounts(events, report), new spec(), process.stdout, { end: false })
  clearInterval(watch)
  return report
}

async function* withoutCounts(events: AsyncIterable<TestEvent>, report: TestReport): AsyncGenerator<TestEvent> {
  for await (const event of events) if (report.add(event, performance.now())) yield event
}

function abortWhenStuck(report: TestReport, stuck: AbortController): void {
  const overdue = report.overdue(performance.now(), FILE_LIMIT_MS)
  if (overdue.length > 0) stuck.abort(new Error(`${overdue.join(', ')} did not end within ${FILE_LIMIT_MS / 1000} s`))
}
