/**
 * The embedded database against everything that happens to a file: processes killed, several processes at once, locks
 * held by others, no space, no permission, damage, removal.
 */

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import {
  createDatabase,
  type Database,
  type DatabaseHealth,
  type DatabaseOptions,
  type Queryable,
} from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from '../support/leash.ts'
import { eventually } from '../support/wait.ts'
import { LOAD_MIGRATIONS } from './database-load.ts'

const CHILD = join(import.meta.dirname, 'database-child.ts')
const BACK_WITHIN_MS = 1500
const SLOWLY_BACK_WITHIN_MS = 6500
const SLACK_MS = 250

let scratch: string
let directory: string
const opened = new Set<Database>()
const children = new Set<ChildProcess>()

beforeEach(() => {
  scratch = scratchDirectory('sqlite')
  directory = join(scratch, 'data')
})

afterEach(async () => {
  for (const database of opened) await database.close({ graceMs: 100 })
  for (const child of children) {
    child.kill('SIGKILL')
    await exited(child)
  }
  opened.clear()
  children.clear()
  removeScratch(scratch)
})

const open = (options: DatabaseOptions = {}): Database => {
  const database = createDatabase({ directory, ...options })
  database.migrate('load', LOAD_MIGRATIONS)
  opened.add(database)
  database.start()
  return database
}

const spawnChild = (
  args: readonly string[],
  options: { uid?: number; gid?: number } = {},
): { process: ChildProcess; output: () => string } => {
  const flags = ['--conditions=evenkeel-source', '--disable-warning=ExperimentalWarning']
  const child = spawnLeashed(process.execPath, [...flags, CHILD, directory, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.add(child)
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += String(chunk)
  })
  return { process: child, output: () => output }
}

const rejection = async (promise: Promise<unknown>): Promise<DatabaseError> => {
  const error = await promise.then(
    () => assert.fail('It resolved'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, String(error))
  return error
}

const storedRows = async (database: Database): Promise<Set<string>> => {
  const { rows } = await database.query<{ id: string }>('SELECT id FROM load_rows')
  return new Set(rows.map(({ id }) => id))
}

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

test('killed with SIGKILL while it writes, five times: every acknowledged row is there', async (t) => {
  const acknowledged: string[] = []
  for (let life = 0; life < 5; life++) {
    const child = spawnChild(['insert', `life-${life}`])
    await eventually('rows are acknowledged', () => child.output().split('\n').length > 30)
    child.process.kill('SIGKILL')
    await exited(child.process)
    // The last line may be cut; the row it names may be there or not.
    acknowledged.push(...child.output().split('\n').slice(0, -1))
  }
  const stored = await storedRows(open())
  const missing = acknowledged.filter((id) => !stored.has(id))
  t.diagnostic(`${acknowledged.length} rows acknowledged in five lives, ${missing.length} missing`)
  assert.deepEqual(missing, [])
})

test('every commit is on the disk when it is acknowledged: WAL, and synchronous FULL', async () => {
  const database = open()
  const setting = (name: string): Promise<unknown> =>
    database.transaction(async (tx) => (await tx.query(`PRAGMA ${name}`)).rows[0]?.[name])
  assert.deepEqual(
    [await setting('journal_mode'), await setting('synchronous'), await setting('foreign_keys')],
    ['wal', 2, 1],
  )
})

test('three processes on one file: nothing fails, no update is lost', async () => {
  const counters = [1, 2, 3].map(() => spawnChild(['count']))
  await Promise.all(counters.map((child) => exited(child.process)))
  assert.deepEqual(
    counters.map((child) => child.process.exitCode),
    [0, 0, 0],
  )
  const database = open()
  const { rows } = await database.query(`SELECT n FROM sums WHERE id = 'all'`)
  assert.deepEqual(rows, [{ n: 900 }])
})

test('another process holds the lock: reads go on, a write waits without blocking the process, until its deadline', async () => {
  const database = open()
  await database.ready()
  const holder = spawnChild(['lock'])
  await eventually('the other process has the lock', () => holder.output().includes('locked'))

  await database.query('SELECT count(*) FROM load_rows')
  let ticks = 0
  const ticking = setInterval(() => ticks++, 5)
  const begun = performance.now()
  const late = await rejection(database.query(`INSERT INTO load_rows (id) VALUES ('late')`, [], { deadlineMs: 200 }))
  const waited = performance.now() - begun
  clearInterval(ticking)
  assert.deepEqual(
    [late.code, late.executed, late.retryable, late.reason?.code],
    ['DATABASE_CONFLICT', 'no', true, 'locked'],
  )
  assert.ok(waited >= 190 && waited < 200 + SLACK_MS, `waited ${waited} ms`)
  assert.ok(ticks > 10, `the event loop turned ${ticks} times`)
  assert.equal(database.health.state, 'up')

  const patient = database.transaction((tx) => tx.query(`INSERT INTO load_rows (id) VALUES ('patient')`))
  holder.process.stdin?.end()
  await patient
  assert.deepEqual([...(await storedRows(database))], ['patient'])
})

test('a write past the transaction that has the only writer is refused at once, a read is not', async () => {
  const database = open()
  await database.transaction(async () => {
    assert.equal((await storedRows(database)).size, 0)
    const begun = performance.now()
    const error = await rejection(database.query(`INSERT INTO load_rows (id) VALUES ('past')`))
    assert.equal(error.code, 'DATABASE_STATEMENT')
    assert.ok(performance.now() - begun < 1000)
  })
})

test('no space left: writes fail with that reason, reads go on, and writes resume by themselves', async () => {
  const database = open()
  await database.ready()
  const limitPages = (pages: number): Promise<unknown> =>
    database.transaction((tx) => tx.query(`PRAGMA max_page_count = ${pages}`))
  await limitPages(1)
  const fill = (): Promise<unknown> => database.query('INSERT INTO load_rows (id) VALUES ($1)', ['x'.repeat(100_000)])
  const error = await rejection(fill())
  assert.deepEqual([error.code, error.executed, error.reason?.code], ['DATABASE_FULL', 'no', 'disk-full'])
  assert.deepEqual([database.health.state, database.health.can], ['write-blocked', { read: true, write: false }])
  assert.equal((await storedRows(database)).size, 0)
  await rejection(
    database.transaction(async (tx) => tx.query('INSERT INTO load_rows (id) VALUES ($1)', ['y'.repeat(100_000)])),
  )
  await limitPages(1_000_000)
  const back = await elapsed(() => eventually('it is up', () => database.health.state === 'up'))
  assert.ok(back < BACK_WITHIN_MS + SLACK_MS, `back after ${back} ms`)
  await fill()
})

test('the directory and its files are for their owner only', async () => {
  const database = open()
  await database.query(`INSERT INTO load_rows (id) VALUES ('x')`)
  const modes = Object.fromEntries(
    readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777]),
  )
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.deepEqual(modes, { 'evenkeel.db': 0o600, 'evenkeel.db-shm': 0o600, 'evenkeel.db-wal': 0o600 })
  await database.close()
  assert.deepEqual(readdirSync(directory), ['evenkeel.db'])
})

test('a file sits where the directory should be: misconfigured, with the reason, until it is gone', async () => {
  writeFileSync(directory, '')
  const database = open()
  const error = await rejection(database.query('SELECT 1'))
  assert.deepEqual([error.code, error.executed, error.reason?.code], ['DATABASE_UNAVAILABLE', 'no', 'file-not-usable'])
  assert.equal(database.health.state, 'misconfigured')
  rmSync(directory)
  assert.ok((await elapsed(() => database.ready())) < SLOWLY_BACK_WITHIN_MS)
})

test('a directory that this user cannot write: misconfigured, with the reason and what to do', async () => {
  const owner = ordinaryUser()
  const child = await reportAs(owner, () => chmodSync(scratch, 0o555))
  chmodSync(scratch, 0o755)
  assert.deepEqual([child.state, child.reason.code], ['misconfigured', 'file-not-usable'])
  assert.match(child.reason.nextStep, /EVENKEEL_DATA_DIR/)
})

test('a file that this user may only read: told as read-only', async () => {
  const owner = ordinaryUser()
  await reportAs(owner, () => chmodSync(scratch, 0o777))
  const child = await reportAs(owner, () => {
    chmodSync(join(directory, 'evenkeel.db'), 0o444)
    chmodSync(directory, 0o555)
  })
  chmodSync(directory, 0o755)
  assert.equal(child.can.write, false)
  assert.ok(['read-only', 'file-not-usable'].includes(child.reason.code), child.reason.text)
})

test('a file that is no database: misconfigured, and used again once a good one is in its place', async () => {
  const first = open()
  await first.query(`INSERT INTO load_rows (id) VALUES ('kept')`)
  await first.close()
  const file = join(directory, 'evenkeel.db')
  cpSync(file, join(scratch, 'good'))
  writeFileSync(file, 'not a database, and long enough to look like one at first sight '.repeat(100))
  const database = open()
  const error = await rejection(database.query('SELECT 1'))
  assert.deepEqual(
    [error.code, error.reason?.code, database.health.state],
    ['DATABASE_UNAVAILABLE', 'damaged', 'misconfigured'],
  )
  renameSync(join(scratch, 'good'), file)
  assert.ok((await elapsed(() => database.ready())) < SLOWLY_BACK_WITHIN_MS)
  assert.deepEqual([...(await storedRows(database))], ['kept'])
})

test('damaged pages: the call is told, and the operator once, not for each call', async () => {
  const database = open()
  const filler = Array.from({ length: 300 }, (_, n) => `${n}-${'x'.repeat(1000)}`)
  await database.transaction(async (tx) => {
    for (const id of filler) await tx.query('INSERT INTO load_rows (id) VALUES ($1)', [id])
  })
  await database.close()
  const file = join(directory, 'evenkeel.db')
  const { size } = statSync(file)
  const bytes = Buffer.alloc(size - 3 * 4096, 0xa5)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, 3 * 4096)
  closeSync(descriptor)
  const notices: string[] = []
  const unsubscribe = channels.notice.subscribe(({ level, reason }) => notices.push(`${level} ${reason?.code}`))
  const again = open()
  for (let n = 0; n < 3; n++) {
    const error = await rejection(again.query('SELECT sum(length(id)) FROM load_rows'))
    assert.equal(error.reason?.code, 'damaged')
  }
  unsubscribe()
  assert.deepEqual(notices, ['error damaged'])
})

test('the file is moved away while it runs: noticed, and a new one is begun instead of writing into nothing', async () => {
  const database = open({ watchMs: 200 })
  await database.query(`INSERT INTO load_rows (id) VALUES ('old')`)
  rmSync(directory, { recursive: true })
  await eventually('it is noticed', () => database.health.reason.code === 'file-replaced', { everyMs: 1 })
  await database.ready()
  assert.ok(existsSync(join(directory, 'evenkeel.db')))
  await database.query(`INSERT INTO load_rows (id) VALUES ('new')`)
  assert.deepEqual([...(await storedRows(database))], ['new'])
})

test('the file is moved away under traffic: no further write is acknowledged into nothing', async () => {
  const database = open()
  await database.query(`INSERT INTO load_rows (id) VALUES ('old')`)
  rmSync(directory, { recursive: true })
  const error = await rejection(database.query(`INSERT INTO load_rows (id) VALUES ('lost')`))
  assert.deepEqual([error.executed, error.reason?.code], ['no', 'file-replaced'])
  await database.ready()
  const insert = (tx: Queryable): Promise<unknown> => tx.query(`INSERT INTO load_rows (id) VALUES ('new')`)
  await database.transaction(insert)
  rmSync(directory, { recursive: true })
  assert.equal((await rejection(database.transaction(insert))).executed, 'no')
  await database.ready()
  assert.deepEqual([...(await storedRows(database))], [])
})

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** Root may do everything, so permissions are tried as nobody. */
function ordinaryUser(): Owner {
  if (process.getuid?.() !== 0) return {}
  chownSync(scratch, 65_534, 65_534)
  return { uid: 65_534, gid: 65_534 }
}

async function reportAs(owner: Owner, prepare: () => void): Promise<DatabaseHealth> {
  prepare()
  const child = spawnChild(['report'], owner)
  await exited(child.process)
  const health: DatabaseHealth = JSON.parse(child.output())
  return health
}
