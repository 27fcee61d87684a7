/**
 * A Redis that does not come back after a reboot: bind names the gateways of Docker networks, and at boot they are not there
 * yet. A real redis-server in a network of its own meets that, the doctor says why, and what it says mends it.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from '../support/leash.ts'
import { NetworkLab } from '../support/network-lab.ts'
import { NetworkNamespace } from '../support/network-namespace.ts'
import { requireProgram } from '../support/provision.ts'
import { eventually } from '../support/wait.ts'
import { evenkeel } from './command-line.ts'

const skip = (await NetworkLab.unavailable()) ?? false
const PASSWORD = 'b00t-secret'
const PORT = 6379

interface Finding {
  readonly check: string
  readonly state: string
  readonly summary: string
  readonly evidence: readonly string[]
  readonly fix?: { readonly text: string; readonly commands?: readonly string[] }
}

interface Endpoint {
  readonly served: boolean
  readonly verdict: { readonly check: string; readonly fix?: Finding['fix'] } | null
  readonly findings: readonly Finding[]
}

describe('Redis does not start after a reboot', { skip }, () => {
  let network: NetworkNamespace
  let directory: string
  let conf: string
  let redis: ChildProcess | undefined

  before(async () => {
    network = await NetworkNamespace.start()
    await network.run('ip', 'link', 'set', 'lo', 'up')
    directory = scratchDirectory('boot')
    mkdirSync(join(directory, 'data'))
    conf = join(directory, 'redis.conf')
    const settings = [
      'bind 127.0.0.1 172.30.0.1',
      `port ${PORT}`,
      `requirepass ${PASSWORD}`,
      `dir ${directory}/data`,
      `logfile ${log()}`,
    ]
    writeFileSync(conf, `${settings.join('\n')}\n`)
  })

  after(async () => {
    redis?.kill('SIGKILL')
    if (redis !== undefined) await exited(redis)
    await network.stop()
    removeScratch(directory)
  })

  function log(): string {
    return join(directory, 'redis.log')
  }

  /** Its exit code; null as soon as it serves. */
  async function boot(): Promise<number | null> {
    const [program, ...args] = [...network.launcher, await requireProgram('redis-server'), conf]
    const child = spawnLeashed(program, args, { stdio: 'ignore' })
    redis = child
    const started = (): boolean => child.exitCode !== null || readFileSync(log(), 'utf8').includes('Ready to accept')
    await eventually('Redis has started, or has not', started)
    return child.exitCode
  }

  async function doctor(host: string): Promise<Endpoint> {
    const env = { REDIS_URL: `redis://:${PASSWORD}@${host}:${PORT}` }
    const args = ['doctor', '--config', conf, '--only', 'connection,host', '--timeout', '5s']
    const [machine, human] = await Promise.all([
      evenkeel([...args, '--json'], { env, launcher: network.launcher }),
      evenkeel(args, { env, launcher: network.launcher }),
    ])
    assert.ok(![machine, human].some(({ stdout, stderr }) => (stdout + stderr).includes(PASSWORD)))
    const { endpoints } = JSON.parse(machine.stdout || 'null') as { endpoints: readonly Endpoint[] }
    const [endpoint] = endpoints
    assert.ok(endpoint !== undefined, machine.stderr)
    const fails = endpoint.findings.some(({ state }) => state === 'fail')
    assert.deepEqual([machine.code, human.code], fails ? [1, 1] : [0, 0])
    if (endpoint.verdict !== null) assert.match(human.stdout, new RegExp(`\\[${endpoint.verdict.check}\\]`))
    return endpoint
  }

  function found({ findings }: Endpoint, check: string): Finding {
    return findings.find((finding) => finding.check === check) ?? assert.fail(`nothing was found by ${check}`)
  }

  test('it ends, and the doctor names the address that no interface has, by configuration, interfaces and log', async () => {
    assert.equal(await boot(), 1)
    for (const host of ['127.0.0.1', '172.30.0.1']) {
      const endpoint = await doctor(host)
      assert.equal(endpoint.served, false)
      assert.equal(endpoint.verdict?.check, 'host.bind-missing')
      assert.match(endpoint.verdict.fix?.commands?.join('\n') ?? '', /net\.ipv4\.ip_nonlocal_bind = 1/)
      const { state, summary, evidence } = found(endpoint, 'host.bind-missing')
      assert.deepEqual(
        [state, summary],
        ['fail', 'Redis does not start: it is told to bind 172.30.0.1, which no interface has.'],
      )
      assert.ok(evidence.includes('no interface has 172.30.0.1') && evidence.some((fact) => fact.includes(`${conf}:1`)))
      const logged = found(endpoint, 'host.redis-log')
      assert.ok(
        logged.state === 'fail' && logged.evidence.some((line) => line.includes('Cannot assign requested address')),
      )
      assert.equal(found(endpoint, 'host.bind-listening').state, 'fail')
    }
  })

  test('the log alone leads to the same check', async () => {
    const { code, stdout } = await evenkeel(['doctor', '--log', log(), '--json'])
    const { logs } = JSON.parse(stdout) as {
      logs: readonly { sightings: readonly { code: string; count: number }[] }[]
    }
    assert.equal(code, 1)
    assert.deepEqual(
      logs[0]?.sightings.map((sighting) => sighting.code),
      ['host.bind-missing', 'not-listening'],
    )
  })

  test('what it names mends it: Redis starts, and serves the address as soon as it is there', async () => {
    await network.run('sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1')
    assert.equal(await boot(), null)
    const early = await doctor('127.0.0.1')
    assert.deepEqual([early.served, found(early, 'host.bind-missing').state], [true, 'warn'])
    assert.equal(found(early, 'host.bind-listening').state, 'ok')
    await network.run('ip', 'link', 'add', 'prod', 'type', 'bridge')
    await network.run('ip', 'addr', 'add', '172.30.0.1/16', 'dev', 'prod')
    await network.run('ip', 'link', 'set', 'prod', 'up')
    const late = await doctor('172.30.0.1')
    assert.deepEqual([late.served, found(late, 'host.bind-missing').state], [true, 'ok'])
  })
})
