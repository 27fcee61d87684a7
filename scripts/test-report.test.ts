import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { TestReport } from './test-report.ts'

const at = { nesting: 0, line: 3, column: 1 }
const details = { duration_ms: 1, type: 'test' }

/** Events as node:test sends them, as far as the report reads them. */
function event(type: string, data: object): TestEvent {
  return { type, data: { ...at, ...data } } as unknown as TestEvent
}

function pass(name: string, more: object = {}): TestEvent {
  const file = `${process.cwd()}/src/a.test.ts`
  return event('test:pass', { name, file, entryFile: file, testNumber: 1, details, ...more })
}

function summary(tests: number, success: boolean, file?: string): TestEvent {
  return event('test:summary', { file, success, counts: { tests } })
}

function reportOf(...events: TestEvent[]): TestReport {
  const report = new TestReport()
  for (const entry of events) report.add(entry, 0)
  return report
}

test('TestReport holds the final counts back and prints them last', () => {
  const report = new TestReport()
  assert.equal(report.add(event('test:diagnostic', { message: 'a test said tests 3 times' }), 0), true)
  assert.equal(report.add(event('test:diagnostic', { message: 'tests 3', file: 'src/a.test.ts' }), 0), true)
  assert.equal(report.add(event('test:diagnostic', { message: 'tests 3' }), 0), false)
  assert.equal(report.add(event('test:diagnostic', { message: 'duration_ms 12.5' }), 0), false)
  assert.deepEqual(report.lines().slice(-3), ['', 'ℹ tests 3', 'ℹ duration_ms 12.5'])
  assert.deepEqual(report.lines(['A remark']).slice(-3), ['A remark', 'ℹ tests 3', 'ℹ duration_ms 12.5'])
  assert.equal(report.countsInShort, 'tests 3, duration_ms 12.5')
})

test('TestReport names every skipped test with its reason', () => {
  const lines = reportOf(
    pass('quick'),
    pass('slow', { skip: 'needs a cluster' }),
    pass('later', { todo: true }),
  ).lines()
  assert.ok(lines.includes('Skipped (2)'))
  assert.ok(lines.includes('  src/a.test.ts:3 slow: needs a cluster'))
  assert.ok(lines.includes('  src/a.test.ts:3 later: to do, no reason given'))
})

test('TestReport fails a file without a test, empty or with an empty suite', () => {
  const whole = pass('src/none.test.ts')
  delete (whole.data as { entryFile?: string }).entryFile
  const report = reportOf(whole, summary(0, true, `${process.cwd()}/src/empty.test.ts`), summary(2, true))
  assert.equal(report.succeeded, false)
  const complaint = (file: string): string => `✖ ${file} ran no test: a test file without a test is an error`
  assert.ok(report.lines().includes(complaint('src/none.test.ts')))
  assert.ok(report.lines().includes(complaint('src/empty.test.ts')))
})

test('TestReport succeeds only when node:test does and something ran', () => {
  assert.equal(reportOf(pass('x'), summary(1, true)).succeeded, true)
  assert.equal(reportOf(pass('x'), summary(1, false)).succeeded, false)
  assert.equal(reportOf(summary(0, true)).succeeded, false)
  assert.equal(reportOf(pass('x')).succeeded, false)
})

test('TestReport tells which files run for too long', () => {
  const report = new TestReport()
  report.add(event('test:dequeue', { name: 'test/a.test.ts' }), 0)
  report.add(event('test:dequeue', { name: 'test/b.test.ts' }), 900)
  assert.deepEqual(report.overdue(1000, 500), ['test/a.test.ts'])
  report.add(event('test:complete', { name: 'test/a.test.ts' }), 1500)
  assert.deepEqual(report.overdue(1500, 1000), [])
  assert.ok(report.lines().includes('  1.5 s test/a.test.ts'))
})

test('TestReport knows the files in which something failed, and whether any was empty', () => {
  const [good, bad] = ['good', 'bad'].map((name) => `${process.cwd()}/src/${name}.test.ts`)
  const report = reportOf(pass('x'), summary(1, true, good), summary(2, false, bad), summary(3, false))
  assert.deepEqual([report.failedFiles, report.complete, report.succeeded], [['src/bad.test.ts'], true, false])
})

test('TestReport counts a file that crashed among the failed ones, although it has no summary', () => {
  const crash = event('test:fail', { name: 'src/crash.test.ts', file: `${process.cwd()}/src/crash.test.ts`, details })
  assert.deepEqual(reportOf(crash, summary(1, false)).failedFiles, ['src/crash.test.ts'])
})
