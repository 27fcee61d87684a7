import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallableProcess } from './callable-process.ts'
import type { EchoFunctions } from './echo-child.ts'

const start = (): Promise<CallableProcess<EchoFunctions>> =>
  CallableProcess.start<EchoFunctions>(new URL('echo-child.ts', import.meta.url))

test('CallableProcess answers calls with what the function returns or throws', async () => {
  await using other = await start()
  assert.deepEqual(await Promise.all([other.call('add', 1, 2), other.call('add', 3, 4)]), [3, 7])
  await assert.rejects(other.call('fail', 'on purpose'), /on purpose/)
})

test('CallableProcess fails the calls that its end leaves open, and those that come too late', async () => {
  await using other = await start()
  const open = assert.rejects(other.call('never'), /ended \(3\)/)
  await assert.rejects(other.call('end'), /ended \(3\)/)
  await open
  await assert.rejects(other.call('add', 1, 2))
})

test('CallableProcess is gone when it is stopped', async () => {
  const other = await start()
  const open = assert.rejects(other.call('never'), /SIGKILL/)
  await other.stop()
  await open
})
