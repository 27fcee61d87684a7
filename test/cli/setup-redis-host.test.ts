/**
 * The field report without a boot: a Redis that binds addresses of no interface, in a network of its own. What systemd does
 * at a boot (sysctl, then ExecStart) is done by hand here; setup-boot.test.ts has the real thing where it can be had.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from '../support/leash.ts'
import { NetworkLab } from '../support/network-lab.ts'
import { requireProgram } from '../support/provision.ts'
import { eventually } from '../support/wait.ts'
import { evenkeel } from './command-line.ts'

const skip = (await NetworkLab.unavailable()) ?? false
/** Looks at unit files without starting anything. */
const ANALYZE = 'systemd-analyze'
const noSystemd = spawnSync(ANALYZE, ['--version']).status === 0 ? false : 'There is no systemd-analyze here.'
const CONF = '/etc/redis/redis.conf'
const UNIT = '/lib/systemd/system/redis-server.service'

let image: string
let program: string

before(async () => {
  program = await requireProgram('redis-server')
})

/** A disk with the files of the report: its bind line, Debian's unit, and the drop-in that it recommends. */
function report(bind = '127.0.0.1 172.30.0.1 172.31.0.1 ::1'): void {
  image = scratchDirectory('image')
  put(CONF, `bind ${bind}\nport 6379\ndir /tmp\nsave ""\n`)
  put(
    UNIT,
    `[Unit]\nAfter=network.target\n[Service]\nType=notify\nExecStart=${program} ${CONF} --supervised systemd\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`,
  )
  put(
    `/etc/systemd/system/redis-server.service.d/override.conf`,
    '[Unit]\nAfter=docker.service\nRequires=docker.service\n',
  )
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(image, path)), { recursive: true })
  writeFileSync(join(image, path), text)
}

const setup = (...args: string[]) => evenkeel(['setup', ...args, '--root', image])

describe('setup redis-host below a --root', { skip }, () => {
  before(() => report())
  after(() => removeScratch(image))

  test('the report: Redis ends at once on an address that no interface has', async () => {
    await using host = await BootedHost.start()
    assert.match(host.startsAndEnds(), /172\.30\.0\.1:6379: bind: Cannot assign requested address/)
  })

  test('without a terminal it shows the change and touches nothing', async () => {
    const before = readFileSync(join(image, CONF), 'utf8')
    const { code, stdout } = await setup('redis-host', '--redis-version', '7.0.15')
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^-bind 127\.0\.0\.1 172\.30\.0\.1 172\.31\.0\.1 ::1\n\+bind 127\.0\.0\.1 172\.30\.0\.1 172\.31\.0\.1 -::1$/m,
    )
    assert.match(stdout, /^\+net\.ipv4\.ip_nonlocal_bind = 1$/m)
    assert.match(stdout, /Nothing was changed\. --apply does it\.\n$/)
    assert.equal(readFileSync(join(image, CONF), 'utf8'), before)
    const dry = await setup('redis-host', '--redis-version', '7.0.15', '--dry-run', '--json')
    const plan = JSON.parse(dry.stdout) as { outcome: string; files: { path: string; change: string }[] }
    assert.equal(plan.outcome, 'shown')
    assert.deepEqual(
      plan.files.map(({ path, change }) => `${change} ${path}`),
      [
        `modify ${CONF}`,
        'create /etc/redis/evenkeel-password.conf',
        'create /etc/sysctl.d/60-evenkeel-redis.conf',
        'create /etc/systemd/system/redis-server.service.d/zz-evenkeel.conf',
        'modify /etc/systemd/system/redis-server.service.d/override.conf',
      ],
    )
  })

  test('--apply mends it: Redis starts before the bridges, and serves each as soon as it appears', async () => {
    const { code, stdout, stderr } = await setup('redis-host', '--redis-version', '7.0.15', '--apply')
    assert.equal(code, 0, stdout + stderr)
    assert.ok(!`${stdout}${stderr}`.includes(password()), 'the password is shown nowhere')
    await using host = await BootedHost.start()
    host.startRedis()
    await host.assertServed('127.0.0.1')
    host.addBridge('br-prod', '172.30.0.1')
    await host.assertServed('127.0.0.1', '172.30.0.1')
    host.addBridge('br-dev', '172.31.0.1')
    await host.assertServed('127.0.0.1', '172.30.0.1', '172.31.0.1')
    // A bridge that is deleted and made again keeps its listener.
    host.ip('link', 'del', 'br-prod')
    host.addBridge('br-prod', '172.30.0.1')
    await host.assertServed('172.30.0.1')
  })

  test('it is the kernel setting that mends it: without it the same configuration ends as before', async () => {
    await using host = await BootedHost.start({ sysctl: false })
    assert.match(host.startsAndEnds(), /bind: Cannot assign requested address/)
  })

  test('systemd finds no fault with the unit and its drop-ins', { skip: noSystemd }, () => {
    assert.deepEqual(faultsOfUnit(), [])
    const wrong = '/etc/systemd/system/redis-server.service.d/wrong.conf'
    put(wrong, '[Service]\nRestartSeconds=2\n')
    assert.match(faultsOfUnit().join('\n'), /RestartSeconds/, 'it would find one')
    rmSync(join(image, wrong))
  })

  test('a second run has nothing to do, and undo gives back every byte', async () => {
    const { code, stdout } = await setup('redis-host', '--redis-version', '7.0.15', '--apply')
    assert.deepEqual([code, stdout.trimEnd().split('\n').at(-1)], [0, 'Nothing to do.'])
    // A redis.conf that was changed since still includes a file of the plan: all of it stays, or Redis would not start.
    const applied = readFileSync(join(image, CONF), 'utf8')
    put(CONF, `${applied}# mine\n`)
    const refused = await setup('undo', '--apply')
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /^✗ \/etc\/redis\/redis\.conf was changed after[\s\S]*^Nothing was undone/m)
    assert.match(password(), /^\S{43}$/)
    put(CONF, applied)
    const shown = await setup('undo')
    assert.match(shown.stdout, /^ {2}restore \/etc\/redis\/redis\.conf$/m)
    const undone = await setup('undo', '--apply')
    assert.equal(undone.code, 0, undone.stdout)
    const files = execFileSync('find', [image, '-type', 'f', '-not', '-path', '*/var/*'], { encoding: 'utf8' })
    assert.match(undone.stdout, /^kept, because it holds a password .*evenkeel-password\.conf$/m)
    assert.deepEqual(files.trim().split('\n').toSorted(), [
      join(image, '/etc/redis/evenkeel-password.conf'),
      join(image, CONF),
      join(image, '/etc/systemd/system/redis-server.service.d/override.conf'),
      join(image, UNIT),
    ])
    assert.match(readFileSync(join(image, CONF), 'utf8'), /^bind 127\.0\.0\.1 172\.30\.0\.1 172\.31\.0\.1 ::1$/m)
    assert.equal((await setup('undo', '--apply')).stdout, 'Nothing to undo.\n')
  })

  test('without a password the same Redis answers DENIED on a bridge, which is why setup makes one', async () => {
    await setup('redis-host', '--redis-version', '6.2.14', '--apply')
    assert.ok(!readFileSync(join(image, CONF), 'utf8').includes('evenkeel-password'))
    await using host = await BootedHost.start()
    host.startRedis()
    host.addBridge('br-prod', '172.30.0.1')
    const { stdout } = await evenkeel(['check', '--wait', '20s', 'redis://127.0.0.1'], { launcher: host.launcher })
    assert.match(stdout, /^✓ Redis 127\.0\.0\.1:6379/m)
    const bridge = await evenkeel(['check', 'redis://172.30.0.1'], { launcher: host.launcher })
    assert.match(bridge.stdout, /\[protected-mode\]/)
  })
})

describe('setup redis-host refuses', () => {
  before(() => report())
  after(() => removeScratch(image))

  for (const [what, args, words] of [
    ['an address that is none', ['--address', '172.30.0.x'], /--address/],
    ['a fix that it does not know', ['--fix', 'requires-docker'], /nonlocal, host-address, restart/],
    ['an unknown option', ['--requires'], /Unknown option '--requires'/],
    ['a version that is none', ['--redis-version', 'new'], /such as 7\.0\.15/],
    ['--dry-run with --apply', ['--dry-run', '--apply'], /either --dry-run/],
  ] as const)
    test(`${what}, with 2 and nothing changed`, async () => {
      const { code, stderr } = await setup('redis-host', ...args)
      assert.equal(code, 2, stderr)
      assert.match(stderr, words)
      assert.match(stderr, /See evenkeel setup redis-host --help\./)
    })
})

test('setup --help and each part have examples', async () => {
  for (const part of [[], ['redis-host'], ['compose'], ['redis-conf'], ['env'], ['undo']]) {
    const { code, stdout } = await evenkeel(['setup', ...part, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`Examples:\\n +(sudo )?evenkeel setup ${part.join('')}`), part.join(''))
  }
  assert.equal((await evenkeel(['setup'])).code, 2)
  assert.match((await evenkeel(['setup', 'everything'])).stderr, /redis-host, compose, redis-conf, env, undo/)
})

/** What systemd has to say of the unit in the image, whose other units are this machine's. */
function faultsOfUnit(): string[] {
  const folders = ['/etc/systemd/system', '/lib/systemd/system'].map((folder) => join(image, folder))
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folders.join(':')}:` }
  const { stdout, stderr } = spawnSync(ANALYZE, ['verify', '--man=no', 'redis-server.service'], {
    encoding: 'utf8',
    env,
  })
  return `${stdout}${stderr}`.split('\n').filter((line) => line.includes(image) || line.includes('redis-server'))
}

function password(): string {
  const path = join(image, 'etc/redis/evenkeel-password.conf')
  assert.equal(statSync(path).mode & 0o777, 0o640)
  return /^requirepass (\S{43})$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? assert.fail('no password was made')
}

/** A network and kernel settings of its own, as after a boot, with the image's /etc/redis in its place. */
class BootedHost {
  readonly launcher: readonly string[]
  readonly #holder: ReturnType<typeof spawnLeashed>
  #redis: ReturnType<typeof spawnLeashed> | undefined

  private constructor(holder: ReturnType<typeof spawnLeashed>) {
    this.#holder = holder
    this.launcher = ['nsenter', '--target', String(holder.pid), '--net', '--mount']
  }

  /** What systemd-sysctl would do comes first, unless it is left out. */
  static async start({ sysctl = true } = {}): Promise<BootedHost> {
    const settings = sysctl ? `cat ${image}/etc/sysctl.d/*.conf 2>/dev/null | sysctl -qp - || true` : 'true'
    const mounts = `mkdir -p /etc/redis && mount --bind ${image}/etc/redis /etc/redis`
    const ready = scratchDirectory('ready')
    const script = `set -e; ip link set lo up; ${mounts}; ${settings}; touch ${ready}/now; exec sleep infinity`
    const holder = spawnLeashed('unshare', ['--net', '--mount', 'sh', '-c', script], { stdio: 'inherit' })
    await eventually('the network', () => statSync(`${ready}/now`).isFile())
    removeScratch(ready)
    return new BootedHost(holder)
  }

  /** What the unit's ExecStart says, but for the supervision by a systemd that is not there. */
  get #command(): readonly string[] {
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(readFileSync(join(image, UNIT), 'utf8')) ?? []
    return [...this.launcher, ...command.replace(' --supervised systemd', '').split(' ')]
  }

  startRedis(): void {
    const [file = '', ...args] = this.#command
    this.#redis = spawnLeashed(file, args, { stdio: 'ignore' })
  }

  /** Its words; fails when it runs on. */
  startsAndEnds(): string {
    const [file = '', ...args] = this.#command
    const { status, stdout } = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000 })
    assert.equal(status, 1, stdout)
    return stdout
  }

  ip(...args: string[]): void {
    const [file = '', ...enter] = this.launcher
    execFileSync(file, [...enter, 'ip', ...args])
  }

  addBridge(name: string, address: string): void {
    this.ip('link', 'add', name, 'type', 'bridge')
    this.ip('address', 'add', `${address}/16`, 'dev', name)
    this.ip('link', 'set', name, 'up')
  }

  async assertServed(...addresses: string[]): Promise<void> {
    const urls = addresses.map((address) => `redis://:${password()}@${address}`)
    const { code, stdout } = await evenkeel(['check', '--wait', '20s', '--write', ...urls], { launcher: this.launcher })
    assert.equal(code, 0, stdout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#redis, this.#holder]) {
      child?.kill('SIGKILL')
      if (child !== undefined) await exited(child)
    }
  }
}
