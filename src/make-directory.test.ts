import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

test('makeDirectory() ends where the system makes no directory in one that is there', () => {
  // In a process of its own: a call that never ends would take the runner with it.
  const module = JSON.stringify(import.meta.resolve('./make-directory.ts'))
  const script = `import { makeDirectory } from ${module}; try { makeDirectory('/proc/evenkeel/data') } catch (error) { console.log(error.code) }`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 30_000,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  })
  assert.equal(child.signal, null, child.stderr)
  assert.match(child.stdout, /^E[A-Z]+\n$/)
})
