/** The project of `setup compose single`, run with its own script, configuration and secret on a real Redis. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { ComposeLab } from '../support/compose-lab.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { requireProgram } from '../support/provision.ts'
import { RedisServer } from '../support/redis-server.ts'
import {
  loading,
  masterDown,
  passwordRequired,
  snapshotFails,
  tooManyClients,
  type State,
} from '../support/redis-states.ts'
import { eventually } from '../support/wait.ts'
import { evenkeel } from './command-line.ts'

const skip = (await ComposeLab.unavailable()) ?? false

describe('setup compose single, run on a real Redis', { skip }, () => {
  let lab: ComposeLab
  let directory: string
  before(async () => {
    await requireProgram('redis-server')
    directory = scratchDirectory('single')
    const made = await evenkeel(['setup', 'compose', 'single', '--directory', directory, '--apply'])
    assert.equal(made.code, 0, made.stdout + made.stderr)
    lab = await ComposeLab.start(directory)
  })
  after(async () => {
    await lab.stop()
    removeScratch(directory)
  })

  const asRedis = (...words: string[]): Promise<string> => {
    const script = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli "$@"'
    return lab.exec('redis', 'sh', '-c', script, 'sh', ...words)
  }

  test('it starts, is healthy, and serves the .env of setup env', async () => {
    await eventually('the health check to pass', () => lab.isHealthy('redis'), { timeoutMs: 30_000 })
    const file = join(directory, '.env')
    const made = await evenkeel(['setup', 'env', '--directory', directory, '--output', file, '--apply'])
    assert.equal(made.code, 0, made.stderr)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const { code, stdout } = await evenkeel(['check', '--env-file', file, '--write'], { launcher: lab.app })
    assert.equal(code, 0, stdout)
    assert.match(stdout, /Redis redis:6379/)
  })

  test('the password is in no list of processes and no environment', async () => {
    const secret = readFileSync(join(directory, 'secrets/redis_password'), 'utf8').trim()
    assert.match(secret, /^[\w-]{43}$/)
    const seen = await lab.exec('redis', 'sh', '-c', 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr "\\0" "\\n"')
    assert.match(seen, /redis-server/)
    assert.ok(!seen.includes(secret))
  })

  test('the health check ends although the server is frozen', async () => {
    await lab.exec('redis', 'sh', '-c', 'kill -STOP $(pidof redis-server)')
    assert.equal(await lab.isHealthy('redis'), false)
    await lab.exec('redis', 'sh', '-c', 'kill -CONT $(pidof redis-server)')
    await eventually('it to be healthy again', () => lab.isHealthy('redis'))
  })

  test('what was acknowledged survives a kill, and a new password works after a restart', async () => {
    await asRedis('SET', 'job', '7')
    // appendfsync everysec may lose a second to a power cut, and nothing to a kill.
    await lab.kill('redis')
    writeFileSync(join(directory, 'secrets/redis_password'), 'rotated-password-for-tests\n')
    lab.up('redis')
    await eventually('the health check to pass', () => lab.isHealthy('redis'), { timeoutMs: 30_000 })
    assert.equal((await asRedis('GET', 'job')).trim(), '7')
    assert.equal((await asRedis('CONFIG', 'GET', 'requirepass')).trim().split('\n')[1], 'rotated-password-for-tests')
  })
})

describe('setup compose single over a volume that was kept with snapshots alone', { skip }, () => {
  test('its data is there after the first start and after a kill, and a new volume starts empty', async () => {
    await requireProgram('redis-server')
    const directory = scratchDirectory('snapshot')
    const made = await evenkeel(['setup', 'compose', 'single', '--directory', directory, '--apply'])
    assert.equal(made.code, 0, made.stdout + made.stderr)
    await using lab = await ComposeLab.start(directory, ['redis'])
    const ask = (...words: string[]): Promise<string> => {
      const script = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli "$@"'
      return lab.exec('redis', 'sh', '-c', script, 'sh', ...words)
    }
    const healthy = (): Promise<unknown> =>
      eventually('the health check to pass', () => lab.isHealthy('redis'), { timeoutMs: 30_000 })
    await healthy()
    assert.equal((await ask('DBSIZE')).trim(), '0')
    await ask('SET', 'kept', '7')
    await ask('SAVE')
    await lab.kill('redis')
    // What a configuration without appendonly leaves behind.
    const volume = lab.volume('redis-data')
    assert.ok(existsSync(join(volume, 'dump.rdb')))
    rmSync(join(volume, 'appendonlydir'), { recursive: true })
    for (const later of ['8', '9']) {
      lab.up('redis')
      await healthy()
      assert.equal((await ask('GET', 'kept')).trim(), String(Number(later) - 1))
      await ask('SET', 'kept', later)
      await lab.kill('redis')
    }
    removeScratch(directory)
  })
})

describe('the health check of setup compose', () => {
  let directory: string
  let check: string
  before(async () => {
    directory = scratchDirectory('health')
    await requireProgram('redis-cli')
    await evenkeel(['setup', 'compose', 'single', '--directory', directory, '--apply'])
    const file = parse(readFileSync(join(directory, 'compose.yaml'), 'utf8')) as {
      services: { redis: { healthcheck: { test: string[] } } }
    }
    check = file.services.redis.healthcheck.test[1] ?? ''
  })
  after(() => removeScratch(directory))

  /** Whether it passes at this server; of the container only the place of the secret and the port are others. */
  function passes(port: number): boolean {
    const here = check.replaceAll('$$', '$').replace('/run/secrets', join(directory, 'secrets'))
    const command = here.replace('redis-cli', `redis-cli -p ${port}`)
    assert.notEqual(command, here)
    return spawnSync('sh', ['-c', command], { timeout: 20_000 }).status === 0
  }

  const bad: Readonly<Record<string, (server: RedisServer) => Promise<State>>> = {
    NOAUTH: (server) => passwordRequired(server, 'another-one'),
    MISCONF: snapshotFails,
    MASTERDOWN: masterDown,
    'too many clients': tooManyClients,
  }
  for (const [name, bring] of Object.entries(bad))
    test(`${name}: it fails, and passes again when that is over`, async () => {
      await using server = await RedisServer.start()
      assert.equal(passes(server.port), true)
      // The kept connection of the test must be there before nobody else gets in.
      await server.command('PING')
      const state = await bring(server)
      assert.equal(passes(server.port), false)
      await state.restore()
      assert.equal(passes(server.port), true)
    })

  test('LOADING: it fails until the data is there', async () => {
    await using server = await RedisServer.start()
    await using state = await loading(server)
    assert.equal(passes(server.port), false)
    await state.restore()
  })

  test('refused and frozen: it fails, and ends', async () => {
    await using server = await RedisServer.start()
    server.freeze()
    assert.equal(passes(server.port), false)
    await server.kill()
    assert.equal(passes(server.port), false)
  })
})
