import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { thisHost } from '../host.ts'
import { applyPlan } from './apply.ts'
import { readState } from './disk.ts'
import type { FileChange, Plan, Step } from './plan.ts'
import { planUndo, undoLast, type TakenBack } from './undo.ts'

let root: string

/** In a folder of its own for each test, with old.conf in it. */
function begin(t: TestContext): void {
  root = mkdtempSync(join(tmpdir(), 'evenkeel-apply-'))
  writeFileSync(join(root, 'old.conf'), 'one\n')
  chmodSync(join(root, 'old.conf'), 0o640)
  t.after(() => rmSync(root, { recursive: true }))
}

const host = thisHost()

/** Changes old.conf, makes new/deep/file, and runs the steps. */
async function planWith(steps: readonly Step[] = []): Promise<Plan> {
  const change = async (name: string, after: string, mode: number): Promise<FileChange> => {
    const path = join(root, name)
    return { path, before: await readState(path), after, mode, secret: false, reasons: [] }
  }
  const files = [await change('old.conf', 'two\n', 0o640), await change('new/deep/file', 'fresh\n', 0o600)]
  return {
    name: 'test',
    choice: '',
    root: '/',
    journal: join(root, 'var/journal'),
    files,
    steps,
    proofs: [],
    notes: [],
  }
}

function undo({ force = false } = {}): Promise<TakenBack> {
  return undoLast({ root: '/', directory: join(root, 'var/journal'), host, force })
}

/** Every file below the root with its text, the journal left out. */
function files(): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const read = names.filter((name) => !name.startsWith('var') && statSync(join(root, name)).isFile())
  return Object.fromEntries(read.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}

const BEFORE = { 'old.conf': 'one\n' }

test('applyPlan() keeps the old file beside the new one, with its mode, and undo takes all back', async (t) => {
  begin(t)
  const applied = await applyPlan(await planWith(), { host })
  assert.equal(applied.outcome, 'done')
  const { 'old.conf': old, 'new/deep/file': fresh, ...backups } = files()
  assert.deepEqual([old, fresh, Object.values(backups)], ['two\n', 'fresh\n', ['one\n']])
  assert.match(Object.keys(backups)[0] ?? '', /^old\.conf\.evenkeel-\d{8}T\d{9}Z$/)
  assert.equal(statSync(join(root, 'new/deep/file')).mode & 0o777, 0o600)
  assert.deepEqual(await undo(), {
    done: [`removed ${join(root, 'new/deep/file')}`, `restored ${join(root, 'old.conf')}`],
    left: [],
    failed: [],
  })
  assert.deepEqual(files(), BEFORE)
  assert.equal(existsSync(join(root, 'new')), false)
  assert.equal(statSync(join(root, 'old.conf')).mode & 0o777, 0o640)
  assert.equal((await planUndo('/', join(root, 'var/journal'))).journal, undefined)
})

test('applyPlan() has nothing to do a second time', async (t) => {
  begin(t)
  await applyPlan(await planWith(), { host })
  assert.equal((await applyPlan(await planWith(), { host })).outcome, 'nothing-to-do')
})

test('applyPlan() puts everything back when a program fails, and says what it said', async (t) => {
  begin(t)
  const step = { args: ['sh', '-c', 'echo no such unit >&2; exit 5'], why: '', undo: ['touch', join(root, 'told')] }
  const applied = await applyPlan(await planWith([step]), { host })
  assert.ok(applied.outcome === 'rolled-back')
  assert.match(applied.failure, /ended with 5: no such unit$/)
  assert.deepEqual(applied.left, [])
  assert.deepEqual(files(), { ...BEFORE, told: '' })
})

test('applyPlan() goes on when a program fails that may', async (t) => {
  begin(t)
  const applied = await applyPlan(await planWith([{ args: ['false'], why: '', optional: true }]), { host })
  assert.equal(applied.outcome, 'done')
})

test('applyPlan() changes nothing when a file is not as it was planned', async (t) => {
  begin(t)
  const plan = await planWith()
  writeFileSync(join(root, 'old.conf'), 'somebody else\n')
  await assert.rejects(applyPlan(plan, { host }), { code: 'SETUP_CHANGED' })
  assert.deepEqual(files(), { 'old.conf': 'somebody else\n' })
})

test('undoLast() undoes nothing when one file was changed since, and says which', async (t) => {
  begin(t)
  const step = { args: ['true'], why: '', undo: ['touch', join(root, 'told')] }
  await applyPlan(await planWith([step]), { host })
  // As a redis.conf that goes on to include a file of the same plan: without that file Redis would not start.
  writeFileSync(join(root, 'old.conf'), 'somebody else\n')
  const applied = files()
  const { done, left } = await undo()
  assert.deepEqual([done, left.length], [[], 1])
  assert.match(left[0] ?? '', /old\.conf was changed after setup wrote it; the old one is .*\.evenkeel-.*--force/)
  assert.deepEqual(files(), applied)
})

test('undoLast() with force sets the change aside, and takes all back', async (t) => {
  begin(t)
  await applyPlan(await planWith(), { host })
  writeFileSync(join(root, 'old.conf'), 'somebody else\n')
  writeFileSync(join(root, 'new/deep/file'), 'somebody else too\n')
  assert.deepEqual((await undo({ force: true })).left, [])
  const { 'old.conf': old, ...aside } = files()
  assert.equal(old, 'one\n')
  assert.deepEqual(Object.values(aside).toSorted(), ['somebody else\n', 'somebody else too\n'])
  for (const name of Object.keys(aside)) assert.match(name, /\.evenkeel-changed-\d{8}T\d{9}Z$/)
  assert.equal((await planUndo('/', join(root, 'var/journal'))).journal, undefined)
})

test('undoLast() undoes nothing when an old file is gone, and force does not help it', async (t) => {
  begin(t)
  await applyPlan(await planWith(), { host })
  const backup = Object.keys(files()).find((name) => name.startsWith('old.conf.')) ?? ''
  rmSync(join(root, backup))
  const { done, left } = await undo({ force: true })
  assert.deepEqual(done, [])
  assert.match(left[0] ?? '', /old\.conf: its old version, .* is gone/)
  writeFileSync(join(root, 'old.conf'), 'one\n')
  assert.deepEqual((await undo()).left, [])
  assert.deepEqual(files(), BEFORE)
})

test('undoLast() says which program failed, and that the files are back', async (t) => {
  begin(t)
  const failing = ['sh', '-c', 'echo did not start >&2; exit 1']
  await applyPlan(await planWith([{ args: ['true'], why: '', undo: failing }]), { host })
  const { left, failed } = await undo()
  assert.deepEqual(left, [])
  assert.match(failed.join('\n'), /ended with 1: did not start$/)
  assert.deepEqual(files(), BEFORE)
})

test('undoLast() keeps the only copy of a password, and takes the rest back', async (t) => {
  begin(t)
  const plan = await planWith()
  const [old, fresh] = plan.files
  assert.ok(old !== undefined && fresh !== undefined)
  await applyPlan({ ...plan, files: [old, { ...fresh, secret: true, keep: true }] }, { host })
  const { done } = await undo()
  assert.match(done.join('\n'), /^kept, because it holds a password .*new\/deep\/file$/m)
  assert.deepEqual(files(), { ...BEFORE, 'new/deep/file': 'fresh\n' })
})

test('applyPlan() puts back a password that it has just made: nobody has it yet', async (t) => {
  begin(t)
  const plan = await planWith([{ args: ['false'], why: '' }])
  const [old, fresh] = plan.files
  assert.ok(old !== undefined && fresh !== undefined)
  const applied = await applyPlan({ ...plan, files: [old, { ...fresh, keep: true }] }, { host })
  assert.equal(applied.outcome, 'rolled-back')
  assert.deepEqual(files(), BEFORE)
})

test('undoLast() undoes one plan after the other, the newest first', async (t) => {
  begin(t)
  await applyPlan(await planWith(), { host })
  const state = await readState(join(root, 'old.conf'))
  const third = {
    path: join(root, 'old.conf'),
    before: state,
    after: 'three\n',
    mode: 0o640,
    secret: false,
    reasons: [],
  }
  await applyPlan({ ...(await planWith()), files: [third] }, { host })
  await undo()
  assert.equal(files()['old.conf'], 'two\n')
  await undo()
  assert.deepEqual(files(), BEFORE)
})

test('undoLast() undoes a plan that was cut off after its first file', async (t) => {
  begin(t)
  await applyPlan(await planWith(), { host })
  // As after a kill: the journal and the first file are written, the second one is not.
  rmSync(join(root, 'new'), { recursive: true })
  await undo()
  assert.deepEqual(files(), BEFORE)
})

test('an image is undone below another root than it was set up below, and nothing runs in it', async (t) => {
  begin(t)
  const before = await readState(join(root, 'old.conf'))
  const file = { path: '/old.conf', before, after: 'two\n', mode: 0o640, secret: false, reasons: [] }
  const step = { args: ['touch', join(root, 'ran')], why: '', undo: ['touch', join(root, 'undone')] }
  const plan = { ...(await planWith([step])), root, journal: '/var/journal', files: [file] }
  assert.equal((await applyPlan(plan, { host })).outcome, 'done')
  const booted = `${root}-booted`
  renameSync(root, booted)
  try {
    const taken = await undoLast({ root: booted, directory: '/var/journal', host })
    assert.deepEqual(taken, { done: ['restored /old.conf'], left: [], failed: [] })
  } finally {
    renameSync(booted, root)
  }
  assert.deepEqual(files(), BEFORE)
})
