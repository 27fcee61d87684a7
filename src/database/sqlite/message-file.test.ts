import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { removeScratch, scratchDirectory } from '../../../test/support/leash.ts'
import { MessageFile } from './message-file.ts'

const directory = scratchDirectory('messages')
after(() => removeScratch(directory))
let files = 0

/** A file, and as many who share it as a test asks for; each looks when the test says so, watched or not. */
function subject(path = join(directory, String(files++))) {
  const member = () => {
    const heard: string[] = []
    const trouble: string[] = []
    let missed = 0
    const file = new MessageFile({
      path,
      onMessage: (channel, payload) => heard.push(`${channel} ${payload}`),
      onMissed: () => missed++,
      onUnwatched: (why) => trouble.push(why),
    })
    return { file, heard, trouble, missed: () => missed }
  }
  return { path, member }
}

test('what one appends the others hear, whole and in order, and it does not hear itself', () => {
  const { path, member } = subject()
  const [one, two] = [member(), member()]
  for (const { file } of [one, two]) file.listen()
  one.file.append('orders', 'first')
  one.file.append('orders', 'ä "quoted"\nsecond line')
  two.file.append('wake', '')
  for (const { file } of [one, two]) file.look()
  assert.deepEqual([one.heard, two.heard], [['wake '], ['orders first', 'orders ä "quoted"\nsecond line']])
  assert.deepEqual([one.missed(), two.missed(), one.trouble], [0, 0, []])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  for (const { file } of [one, two]) file.close()
})

test('whoever begins to listen hears nothing of before, and who has closed nothing more', () => {
  const { member } = subject()
  const [teller, early, late] = [member(), member(), member()]
  early.file.listen()
  teller.file.append('a', '1')
  late.file.listen()
  teller.file.append('a', '2')
  for (const { file } of [early, late]) file.look()
  early.file.close()
  teller.file.append('a', '3')
  for (const { file } of [early, late]) file.look()
  assert.deepEqual(
    [early.heard, late.heard],
    [
      ['a 1', 'a 2'],
      ['a 2', 'a 3'],
    ],
  )
  for (const { file } of [teller, late]) file.close()
})

test('while nobody has ever listened nothing is written', () => {
  const { path, member } = subject()
  const { file } = member()
  file.append('a', 'unheard')
  assert.equal(existsSync(path), false)
})

test('a line that is on its way is heard when it is whole', () => {
  const { path, member } = subject()
  const { file, heard, missed } = member()
  file.listen()
  appendFileSync(path, '["somebody","a",')
  file.look()
  assert.deepEqual(heard, [])
  appendFileSync(path, '"whole"]\n')
  file.look()
  assert.deepEqual([heard, missed()], [['a whole'], 0])
  file.close()
})

test('a file that has grown is emptied, and that messages may be missing is told', () => {
  const { path, member } = subject()
  const [one, two] = [member(), member()]
  two.file.listen()
  const large = 'x'.repeat(7000)
  for (let round = 0; round < 20; round += 1) one.file.append('a', large)
  two.file.look()
  for (let round = 0; round < 30; round += 1) one.file.append('a', large)
  two.file.look()
  assert.equal(two.missed(), 1)
  one.file.append('a', 'after it')
  two.file.look()
  assert.equal(two.heard.at(-1), 'a after it')
  assert.ok(readFileSync(path).length < 300_000)
  for (const { file } of [one, two]) file.close()
})

test('after it was deleted all meet again in a new one', () => {
  const { path, member } = subject()
  const [one, two, teller] = [member(), member(), member()]
  for (const { file } of [one, two]) file.listen()
  teller.file.append('a', '1')
  for (const { file } of [one, two]) file.look()
  rmSync(path)
  one.file.look()
  two.file.append('a', '2')
  teller.file.append('a', '3')
  for (const { file } of [one, two]) file.look()
  assert.deepEqual(
    [one.heard, two.heard],
    [
      ['a 1', 'a 2', 'a 3'],
      ['a 1', 'a 3'],
    ],
  )
  assert.deepEqual([one.missed(), two.missed()], [1, 1])
  for (const { file } of [one, two, teller]) file.close()
})

test('where no file can be made it says so once, and nobody fails for it', () => {
  const { member } = subject(join(directory, 'not', 'there'))
  const { file, trouble, heard } = member()
  file.listen()
  file.append('a', '1')
  file.look()
  assert.equal(trouble.length, 1)
  assert.match(trouble[0] ?? '', /ENOENT/)
  assert.deepEqual(heard, [])
  file.close()
})

test('a file that cannot be opened is tried again with each look, told once, and heard as soon as it can', () => {
  const { path, member } = subject(join(directory, 'later', 'messages'))
  const [one, two] = [member(), member()]
  two.file.listen()
  for (let round = 0; round < 3; round += 1) two.file.look()
  assert.deepEqual([two.trouble.length, two.missed()], [1, 0])
  mkdirSync(dirname(path))
  two.file.look()
  one.file.append('a', 'heard')
  two.file.look()
  assert.deepEqual([two.heard, two.trouble.length, two.missed()], [['a heard'], 1, 1])
  for (const { file } of [one, two]) file.close()
})
