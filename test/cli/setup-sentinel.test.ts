/**
 * The project of `setup compose sentinel`, run service by service with its own scripts, configuration and secrets on real
 * Redis: three nodes, three sentinels, names that vanish with their service.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ComposeLab } from '../support/compose-lab.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { requireProgram } from '../support/provision.ts'
import { eventually } from '../support/wait.ts'
import { evenkeel } from './command-line.ts'

const skip = (await ComposeLab.unavailable()) ?? false
const SETTLES = { timeoutMs: 60_000, everyMs: 250 }
const NODES = ['redis-1', 'redis-2', 'redis-3']
const SENTINELS = ['sentinel-1', 'sentinel-2', 'sentinel-3']

let lab: ComposeLab
let project: string

describe('setup compose sentinel', { skip, timeout: 240_000 }, () => {
  before(async () => {
    await requireProgram('redis-server')
    project = scratchDirectory('project')
    const made = await evenkeel(['setup', 'compose', 'sentinel', '--directory', project, '--apply'])
    assert.equal(made.code, 0, made.stdout + made.stderr)
    const env = await evenkeel(['setup', 'env', '--directory', project, '--output', join(project, '.env'), '--apply'])
    assert.equal(env.code, 0, env.stdout + env.stderr)
    lab = await ComposeLab.start(project)
  })
  after(async () => {
    await lab.stop()
    removeScratch(project)
  })

  test('three sentinels agree, every node is healthy, and the .env leads an application to the master', async () => {
    await eventually('every service to be healthy', allHealthy, SETTLES)
    await eventually('every sentinel to see the others and both replicas', settled, SETTLES)
    assert.equal(await masterNow(), 'redis-1')
    const { code, stdout } = await asApplication()
    assert.equal(code, 0, stdout)
  })

  test('nobody gets in without the password, sentinels included', async () => {
    for (const [name, port] of [
      ['redis-1', 6379],
      ['sentinel-1', 26_379],
    ] as const)
      assert.match(await lab.exec('redis-2', 'redis-cli', '-h', name, '-p', String(port), 'ping'), /^NOAUTH/)
  })

  test('the master dies: another one takes over, and the application goes on with the same .env', async () => {
    await redis('redis-1', 'SET', 'order', '7')
    assert.equal((await redis('redis-1', 'WAIT', '1', '5000')).trim() >= '1', true)
    await lab.kill('redis-1')
    await eventually('another master', async () => ((await masterNow()) ?? 'redis-1') !== 'redis-1', SETTLES)
    const { code, stdout } = await asApplication()
    assert.equal(code, 0, stdout)
    assert.equal((await redis((await masterNow()) ?? '', 'GET', 'order')).trim(), '7')
  })

  test('the old master comes back: it takes no write on its own, and ends as a replica that follows', async () => {
    const master = (await masterNow()) ?? ''
    lab.up('redis-1')
    await eventually('it to answer', () => lab.isHealthy('redis-1'), SETTLES)
    // Before the sentinels have told it, it believes that it is the master; min-replicas-to-write keeps it from writing.
    const early = await redis('redis-1', 'SET', 'stray', '1')
    assert.match(early, /^(NOREPLICAS|READONLY)/)
    await eventually(
      'it to follow',
      async () => isReplicaOf(await redis('redis-1', 'INFO', 'replication'), master),
      SETTLES,
    )
    assert.equal((await redis('redis-1', 'GET', 'order')).trim(), '7')
    assert.equal(await masterNow(), master)
  })

  test('what the sentinels know survives: all of them restarted, they still name the new master', async () => {
    const master = await masterNow()
    for (const name of SENTINELS) await lab.kill(name)
    for (const name of SENTINELS) lab.up(name)
    await eventually('every sentinel to see the others and both replicas', settled, SETTLES)
    assert.equal(await masterNow(), master)
    for (const name of SENTINELS) assert.doesNotMatch(lab.log(name), /Could not rename|not writable/)
  })
})

/** A command at a node or sentinel, with the password of the project; what redis-cli said. */
async function redis(name: string, ...words: string[]): Promise<string> {
  const port = name.startsWith('sentinel') ? '26379' : '6379'
  const script = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli -p "$0" "$@"'
  return await lab.exec(name, 'sh', '-c', script, port, ...words)
}

async function allHealthy(): Promise<boolean> {
  for (const name of [...NODES, ...SENTINELS]) if (!(await lab.isHealthy(name))) return false
  return true
}

async function settled(): Promise<boolean> {
  for (const name of SENTINELS) {
    const info = await redis(name, 'INFO', 'sentinel')
    if (!/status=ok,address=\S+,slaves=2,sentinels=3/.test(info)) return false
  }
  return true
}

/** What two sentinels say at least. */
async function masterNow(): Promise<string | undefined> {
  const said: string[] = []
  for (const name of SENTINELS)
    said.push((await redis(name, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')).split('\n')[0]?.trim() ?? '')
  return NODES.find((node) => said.filter((answer) => answer === node).length >= 2)
}

function isReplicaOf(info: string, master: string): boolean {
  return info.includes('role:slave') && info.includes(`master_host:${master}`) && info.includes('master_link_status:up')
}

/** With nothing but the .env, in the network of the project. */
async function asApplication(): Promise<{ code: number | null; stdout: string }> {
  const args = ['check', '--env-file', join(project, '.env'), '--write', '--wait', '30s']
  return await evenkeel(args, { launcher: lab.app })
}
