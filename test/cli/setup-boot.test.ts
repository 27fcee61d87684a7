/** `setup redis-host` on a machine that really boots, and boots again: the field report that it began with, mended. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Machine } from '../support/machine.ts'
import {
  BRIDGES,
  bridgesOf,
  letBridgesCome,
  REDIS_CONF,
  reportedConfiguration,
  reportedMachine,
} from '../support/reported-machine.ts'
import { eventually } from '../support/wait.ts'
import { evenkeel, type DoctorOutput } from './command-line.ts'

const SERVED_WITHIN = '60s'

const skip = (await Machine.unavailable()) ?? false
let machine: Machine

describe('setup redis-host on a machine that boots', { skip, timeout: 280_000 }, () => {
  before(async () => {
    machine = await reportedMachine()
  })
  after(() => machine.stop())

  test('the report: after a boot Redis is dead for good, although the bridges are there', async () => {
    await machine.boot()
    await eventually('systemd to give up', async () => /ActiveState=failed/.test(await unitState()))
    await letThemCome()
    const told = await machine.command('journalctl', '--no-pager', '-u', 'redis-server')
    assert.match(told, /Start request repeated too quickly/)
    assert.match(
      await machine.command('cat', '/var/log/redis/redis-server.log'),
      /bind: Cannot assign requested address/,
    )
    assert.match(await machine.command('redis-cli', 'ping'), /Connection refused/)
  })

  test('the doctor says why, from the unit, the log and the address that came too late', async () => {
    const { code, stdout } = await evenkeel(['doctor', '--json', '--timeout', '20s'], { launcher: machine.inside })
    const { endpoints } = JSON.parse(stdout) as DoctorOutput
    const of = (check: string) => endpoints[0]?.findings.filter((finding) => finding.check === check) ?? []
    assert.deepEqual([code, endpoints[0]?.served, endpoints[0]?.verdict?.check], [1, false, 'host.redis-log'], stdout)
    assert.match(of('host.redis-log')[0]?.evidence[0] ?? '', /Cannot assign requested address/)
    assert.match(of('host.unit-state')[0]?.summary ?? '', /systemd has given Redis up/)
    assert.deepEqual([of('host.start-limit')[0]?.state, of('host.enabled')[0]?.state], ['fail', 'ok'])
    // The bridges stand by now: it is the next boot that fails again.
    assert.equal(of('host.bind-missing')[0]?.state, 'ok')
  })

  test('setup --root mends the disk: after a boot localhost is served at once and each bridge when it comes', async () => {
    await machine.off()
    const { code, stdout, stderr } = await setup(['--root', machine.root, '--apply'], machine.holder)
    assert.equal(code, 0, stdout + stderr)
    await machine.boot()
    await assertServed(['127.0.0.1'])
    await letThemCome()
    await assertServed(['127.0.0.1', ...BRIDGES])
    assert.match(await unitState(), /NRestarts=0\n/)
  })

  test('setup inside the running machine has nothing to do, and systemd finds no fault with the drop-in', async () => {
    const { code, stdout } = await setup(['--apply'])
    assert.deepEqual([code, stdout.trimEnd().split('\n').at(-1)], [0, 'Nothing to do.'])
    assert.equal(await machine.command('systemd-analyze', 'verify', 'redis-server.service'), '')
    assert.match(await machine.command('systemctl', 'cat', 'redis-server'), /^StartLimitIntervalSec=0$/m)
  })

  test('the doctor agrees that the next boot will be served', async () => {
    const env = { REDIS_URL: `redis://:${await passwordOfSetup()}@127.0.0.1:6379` }
    const { stdout } = await evenkeel(['doctor', '--json', '--timeout', '20s'], { launcher: machine.inside, env })
    const { endpoints } = JSON.parse(stdout) as DoctorOutput
    const boot = [
      'bind-missing',
      'bind-listening',
      'start-limit',
      'ipv6-off',
      'requires-docker',
      'enabled',
      'unit-state',
    ]
    for (const check of boot) {
      const finding = endpoints[0]?.findings.find((one) => one.check === `host.${check}`)
      assert.equal(finding?.state, 'ok', `${check}: ${finding?.summary}`)
    }
  })

  test('bridges may go and come back: their listeners stay', async () => {
    await machine.command('ip', 'link', 'del', 'br-30')
    await machine.command('ip', 'link', 'add', 'br-30', 'type', 'bridge')
    await machine.command('ip', 'address', 'add', '172.30.0.1/16', 'dev', 'br-30')
    await machine.command('ip', 'link', 'set', 'br-30', 'up')
    await assertServed(BRIDGES)
  })

  test('setup undo gives the machine back its files, and systemd and the kernel hear of it', async () => {
    const { code, stdout } = await evenkeel(['setup', 'undo', '--apply'], { launcher: machine.inside })
    assert.equal(code, 0, stdout)
    assert.equal(await machine.command('cat', REDIS_CONF), reportedConfiguration())
    assert.equal(await machine.command('sysctl', '-n', 'net.ipv4.ip_nonlocal_bind'), '0\n')
    assert.doesNotMatch(await machine.command('systemctl', 'cat', 'redis-server'), /zz-evenkeel/)
  })

  test('setup --apply on the running machine restarts Redis, proves every address, and a reboot agrees', async () => {
    // The bridges stand now, so Redis serves them; the kernel does not forgive the next boot.
    const { code, stdout, stderr } = await setup(['--apply', '--yes'])
    assert.equal(code, 0, stdout + stderr)
    for (const address of ['127.0.0.1', ...BRIDGES])
      assert.match(stdout, new RegExp(`^✓ Redis answers at ${address.replaceAll('.', String.raw`\.`)}:6379`, 'm'))
    await machine.boot()
    await letThemCome()
    await assertServed(['127.0.0.1', ...BRIDGES])
  })

  test('what cannot be proven is put back: an address that never comes, with a fix that waits for it', async () => {
    const undone = await evenkeel(['setup', 'undo', '--apply'], { launcher: machine.inside })
    assert.equal(undone.code, 0, undone.stdout)
    const before = await machine.command(
      'sh',
      '-c',
      'cat /etc/redis/*.conf /etc/systemd/system/redis-server.service.d/*',
    )
    const { code, stdout } = await setup(['--fix', 'restart', '--address', '172.99.0.1', '--apply'])
    assert.equal(code, 1, stdout)
    assert.match(stdout, /^✗ systemctl restart redis-server\.service ended with 1: Job for redis-server/m)
    assert.match(stdout, /Everything is as it was before\./)
    const now = await machine.command('sh', '-c', 'cat /etc/redis/*.conf /etc/systemd/system/redis-server.service.d/*')
    assert.equal(now, before)
    assert.match(await machine.command('redis-cli', 'ping'), /PONG/, 'Redis runs again as it did')
    assert.equal((await setup(['--apply'])).code, 0)
  })

  test('it boots without IPv6, where the report would loop for ever on ::1', async () => {
    await machine.off()
    await machine.write('/etc/sysctl.d/10-no-ipv6.conf', 'net.ipv6.conf.all.disable_ipv6 = 1\n')
    await machine.boot()
    await letThemCome()
    await assertServed(['127.0.0.1', ...BRIDGES])
    assert.doesNotMatch(await machine.command('ip', '-o', 'address'), /inet6/)
  })

  test('a host address serves before any bridge is there', async () => {
    await evenkeel(['setup', 'undo', '--apply'], { launcher: machine.inside })
    const { code, stdout, stderr } = await setup(['--host-address', '10.99.0.1', '--apply'])
    assert.equal(code, 0, stdout + stderr)
    await machine.boot()
    await assertServed(['127.0.0.1', '10.99.0.1'])
  })
})

function setup(
  args: readonly string[],
  launcher = machine.inside,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return evenkeel(['setup', 'redis-host', ...args], { launcher })
}

async function unitState(): Promise<string> {
  return await machine.command('systemctl', 'show', '-p', 'Result,NRestarts,ActiveState', 'redis-server')
}

/** What comes before happened without them. */
async function letThemCome(): Promise<void> {
  assert.deepEqual(await bridgesOf(machine), [])
  await letBridgesCome(machine)
}

/** As an application would see it, with the password that setup made. */
async function assertServed(addresses: readonly string[]): Promise<void> {
  const password = await passwordOfSetup()
  const urls = addresses.map((address) => `redis://:${password}@${address}:6379`)
  const { code, stdout } = await evenkeel(['check', '--wait', SERVED_WITHIN, '--write', ...urls], {
    launcher: machine.inside,
  })
  assert.equal(code, 0, stdout)
}

async function passwordOfSetup(): Promise<string> {
  const file = await machine.command('cat', '/etc/redis/evenkeel-password.conf')
  return /^requirepass (\S+)$/m.exec(file)?.[1] ?? assert.fail(file)
}
