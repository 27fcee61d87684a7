import assert from 'node:assert/strict'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { removeScratch, scratchDirectory } from '../../../test/support/leash.ts'
import { ensureFile } from './file.ts'

const scratch = scratchDirectory('file')
after(() => removeScratch(scratch))

test('ensureFile() makes the directories above the file, for their owner only', () => {
  const directory = join(scratch, 'a', 'b')
  const path = ensureFile(directory)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(ensureFile(directory), path)
})

test('ensureFile() tells why there can be no directory', () => {
  const file = join(scratch, 'file')
  writeFileSync(file, '')
  assert.throws(() => ensureFile(file), { code: 'EEXIST' })
  assert.throws(() => ensureFile(join(file, 'below')), { code: /ENOTDIR|EEXIST/ })
  const nowhere = join(scratch, 'nowhere')
  symlinkSync(join(scratch, 'gone'), nowhere)
  assert.throws(() => ensureFile(join(nowhere, 'below')), { code: /ENOENT|EEXIST/ })
})
