/** The doctor's engine against real servers: it comes in, or says why not, and keeps its budget. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examine, type DoctorReport } from '../../src/operate/doctor/index.ts'
import { targetOfUrl } from '../../src/operate/targets.ts'
import { RedisServer } from '../support/redis-server.ts'
import { outOfMemory } from '../support/redis-states.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

async function examined(url: string): Promise<DoctorReport> {
  const target = targetOfUrl(url, 'argument 1')
  return await examine(target, { timeoutMs: 4000 })
}

test('the doctor comes in and judges what it sees', async () => {
  await using server = await RedisServer.start()
  await using _ = await outOfMemory(server)
  const { verdict, diagnosis } = await examined(server.url)
  assert.equal(verdict?.check, 'memory.headroom')
  assert.equal(diagnosis.served, true)
})

test('the doctor keeps its budget with a server that is silent, and never says ok for what it could not see', async () => {
  await using silent = await ScriptedServer.start(() => null)
  const { verdict, findings, ms } = await examined(`redis://127.0.0.1:${silent.port}`)
  assert.equal(verdict?.check, 'connection.served')
  assert.ok(ms < 6000, `${ms} ms`)
  const memory = findings.filter(({ layer }) => layer === 'memory')
  assert.ok(memory.length > 0 && memory.every(({ state }) => state === 'not-available'))
})
