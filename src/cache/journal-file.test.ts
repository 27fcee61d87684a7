import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { settled, world } from '../../test/support/cache-world.ts'
import { scratchDirectory } from '../../test/support/leash.ts'
import { DiskJournal } from './journal-file.ts'
import { Journal } from './journal.ts'

const place = (): string => scratchDirectory('journal')
/** No process has it: beyond the largest pid. */
const GONE = 4_194_305

test('what is journalled is on disk for its owner alone, and gone once it is settled', () => {
  const directory = place()
  const journal = new Journal({ maxKeys: 10, file: new DiskJournal({ directory, namespace: 'n' }) })
  journal.note('k')
  const [name = ''] = readdirSync(directory)
  assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  assert.ok(statSync(join(directory, name)).size > 0)
  journal.settle('k', journal.newest)
  assert.equal(statSync(join(directory, name)).size, 0)
  journal.close()
  assert.deepEqual(readdirSync(directory), [])
})

test('what a dead process left is outstanding, a line cut off by its end is not', async () => {
  const directory = place()
  const left = '{"kind":"key","key":"a"}\n{"kind":"tag","tag":"t"}\n{"kind":"key","ke'
  writeFileSync(join(directory, `n.${GONE}-00000000.journal`), left)
  writeFileSync(join(directory, `other.${GONE}-00000000.journal`), left)
  const { clock, redis, one } = await world({ journal: { directory } })
  assert.equal(one.cache.health.journalled, 0, 'told as soon as Redis answered')
  assert.deepEqual(readdirSync(directory), [`other.${GONE}-00000000.journal`])
  assert.ok(redis.ran.includes('UNLINK'))
  one.link.become('cut')
  await settled(clock, one.cache.set('b', 1))
  await one.cache.close()
  assert.equal(readdirSync(directory).length, 2, 'what is outstanding stays for the next process')
})

test('too much to remember: everything is dropped instead', () => {
  const journal = new Journal({ maxKeys: 2, file: undefined })
  journal.note('a')
  journal.note('b')
  journal.note('a')
  assert.equal(journal.all, undefined)
  journal.note('c')
  assert.notEqual(journal.all, undefined)
  assert.equal(journal.holds('never noted'), true)
})

test('a change that is noted again while it is told is not settled by that telling', () => {
  const journal = new Journal({ maxKeys: 2, file: undefined })
  journal.note('a')
  const [first] = journal.keys()
  journal.note('a')
  journal.settle('a', first?.[1] ?? 0)
  assert.equal(journal.holds('a'), true)
})

test('what is noted while everything is told is not settled by that telling', () => {
  const journal = new Journal({ maxKeys: 2, file: undefined })
  journal.noteAll()
  const { all = 0 } = journal
  journal.note('a')
  journal.settleAll(all)
  assert.equal(journal.holds('a'), true)
})

test('what is noted while an earlier write is on its way is not settled by that write', () => {
  const journal = new Journal({ maxKeys: 2, file: undefined })
  const { newest } = journal
  journal.note('a')
  journal.settle('a', newest)
  assert.equal(journal.holds('a'), true)
  journal.settle('a', journal.newest)
  assert.equal(journal.holds('a'), false)
})

/** All records in the directory, whatever the files. */
function recordsOf(directory: string): readonly string[] {
  const lines = readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
  return lines.filter((line) => line !== '').toSorted()
}

const keyLine = (key: string): string => JSON.stringify({ kind: 'key', key })

test('a file grows with keys and not with writes, and is written anew when most of it is settled', () => {
  const directory = place()
  const journal = new Journal({ maxKeys: 10_000, file: new DiskJournal({ directory, namespace: 'n' }) })
  for (let write = 0; write < 5000; write++) journal.note('k')
  assert.deepEqual(recordsOf(directory), [keyLine('k')])
  for (let n = 0; n < 5000; n++) {
    journal.note(`k${n}`)
    journal.settle(`k${n}`, journal.newest)
  }
  assert.equal(readdirSync(directory).length, 1)
  const lines = recordsOf(directory)
  assert.ok(lines.length <= 1001, `${lines.length} lines`)
  assert.ok(lines.includes(keyLine('k')))
  journal.close()
})

test('a journal that another container takes over while its process lives is on disk all the same', () => {
  const directory = place()
  const journal = new Journal({ maxKeys: 10, file: new DiskJournal({ directory, namespace: 'n' }) })
  journal.note('a')
  const [name = ''] = readdirSync(directory)
  // The other one sees no process of that number: it takes the file for a dead process' and deletes it once it is told.
  const taken = join(directory, `n.${GONE}-00000000.journal`)
  renameSync(join(directory, name), taken)
  journal.note('b')
  rmSync(taken)
  assert.deepEqual(recordsOf(directory), [keyLine('a'), keyLine('b')])
  journal.note('c')
  assert.equal(readdirSync(directory).length, 1)
  assert.deepEqual(recordsOf(directory), [keyLine('a'), keyLine('b'), keyLine('c')])
  journal.settle('a', journal.newest)
  journal.settle('b', journal.newest)
  journal.settle('c', journal.newest)
  journal.close()
  assert.deepEqual(readdirSync(directory), [])
})

test('what a dead process left is taken over once, by whoever is first', () => {
  const directory = place()
  writeFileSync(join(directory, `n.${GONE}-00000000.journal`), `${keyLine('a')}\n`)
  const first = new DiskJournal({ directory, namespace: 'n' })
  const second = new DiskJournal({ directory, namespace: 'n' })
  assert.deepEqual([first.inherit().length, second.inherit().length], [1, 0])
  assert.equal(readdirSync(directory).length, 1, 'kept until it is told')
  first.clear()
  assert.deepEqual(readdirSync(directory), [])
})

test('what could not be written is written with the next record', () => {
  const directory = join(place(), 'sub')
  const journal = new Journal({ maxKeys: 10, file: new DiskJournal({ directory, namespace: 'n' }) })
  rmSync(directory, { recursive: true })
  journal.note('a')
  mkdirSync(directory)
  journal.note('b')
  assert.deepEqual(recordsOf(directory), [keyLine('a'), keyLine('b')])
  journal.close()
})
