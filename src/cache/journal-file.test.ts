import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
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
  journal.settle('k')
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
  journal.settle('a', first?.[1])
  assert.equal(journal.holds('a'), true)
})
