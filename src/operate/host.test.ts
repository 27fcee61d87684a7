import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thisHost } from './host.ts'

const host = thisHost()

test('readFile() reads files that have no size, and keeps the part that is asked for', async () => {
  const statm = await host.readFile('/proc/self/statm')
  assert.ok(statm.kind === 'known' && /^\d+ \d+/.test(statm.value))
  const [all, start, end] = await Promise.all([
    host.readFile(import.meta.filename),
    host.readFile(import.meta.filename, { maxBytes: 20 }),
    host.readFile(import.meta.filename, { maxBytes: 20, fromEnd: true }),
  ])
  assert.ok(all.kind === 'known' && start.kind === 'known' && end.kind === 'known')
  assert.deepEqual([start.value, end.value], [all.value.slice(0, 20), all.value.slice(-20)])
})

test('what is not there is not available, and says so without throwing', async () => {
  for (const answer of [
    await host.readFile('/none/of/it'),
    await host.list('/none/of/it'),
    await host.stat('/none/of/it'),
    await host.run('no-such-program', []),
  ])
    assert.equal(answer.kind, 'not-available')
})

test('run() hands over arguments as they are, tells the exit code, and ends a program that hangs', async () => {
  const script = 'console.log(process.argv[1]); console.error(process.env.LC_ALL); process.exit(3)'
  const told = await host.run(process.execPath, ['-e', script, '$(id) "; '])
  assert.deepEqual(told, { kind: 'known', value: { code: 3, stdout: '$(id) "; \n', stderr: 'C\n' } })
  const hung = await host.run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 100 })
  assert.equal(hung.kind, 'failed')
})
