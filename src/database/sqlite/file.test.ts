import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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

test('ensureFile() ends where the system makes no directory in one that is there', () => {
  // In a process of its own: a call that never ends would take the runner with it.
  const module = JSON.stringify(import.meta.resolve('./file.ts'))
  const script = `import { ensureFile } from ${module}; try { ensureFile('/proc/evenkeel/data') } catch (error) { console.log(error.code) }`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 30_000,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  })
  assert.equal(child.signal, null, child.stderr)
  assert.match(child.stdout, /^E[A-Z]+\n$/)
})
