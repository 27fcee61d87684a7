/** The doctor's engine against real servers: it comes in, or says why not, and keeps its budget. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { examine, type DoctorReport } from '../../src/operate/doctor/index.ts'
import { targetOfUrl } from '../../src/operate/targets.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { requireProgram } from '../support/provision.ts'
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

test('what it prints for a server without a password is pasted as it is, and the password is shown nowhere', async () => {
  await requireProgram('redis-cli')
  const directory = scratchDirectory('paste')
  writeFileSync(join(directory, 'redis.conf'), '')
  await using server = await RedisServer.start({ configFile: join(directory, 'redis.conf') })
  const { findings } = await examined(server.url)
  const commands = findings.find(({ check }) => check === 'security.password')?.fix?.commands ?? []
  assert.equal(commands.length, 3)
  const paste = { cwd: directory, encoding: 'utf8', input: commands.join('\n') } as const
  const { status, stdout, stderr } = spawnSync('sh', ['-e'], paste)
  assert.deepEqual([status, stdout], [0, 'OK\nOK\n'], stderr)
  const file = join(directory, 'redis-password')
  const password = readFileSync(file, 'utf8')
  assert.match(password, /^[0-9a-f]{64}$/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!commands.join('\n').includes(password))
  assert.equal((await examined(server.url)).diagnosis.served, false)
  const login = server.url.replace('//', `//:${password}@`)
  assert.equal((await examined(login)).diagnosis.served, true)
  assert.match(readFileSync(join(directory, 'redis.conf'), 'utf8'), new RegExp(`^requirepass "?${password}`, 'm'))
  removeScratch(directory)
})
