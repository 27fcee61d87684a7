import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { OptionError } from '../../../errors.ts'
import { thisHost } from '../../host.ts'
import { pending, type Plan } from '../plan.ts'
import { undoOfKernel } from './host-files.ts'
import { planRedisHost, type RedisHostOptions } from './host-plan.ts'

const CONF = '/etc/redis/redis.conf'
const UNIT = '/lib/systemd/system/redis-server.service'
const REPORTED = 'bind 127.0.0.1 172.30.0.1 172.31.0.1 ::1\n'

let root: string

/** With an image of its own for each test, in which Redis is a service. */
function begin(t: TestContext): void {
  root = mkdtempSync(join(tmpdir(), 'evenkeel-image-'))
  put(UNIT, `[Service]\nExecStart=/usr/bin/redis-server ${CONF} --supervised systemd --daemonize no\n`)
  t.after(() => rmSync(root, { recursive: true }))
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** Of an image with this redis.conf and version. */
function plan(conf: string, version: string, options: Partial<RedisHostOptions> = {}): Promise<Plan> {
  put(CONF, conf)
  const defaults = { root, version, addresses: [], clients: 'both', generatePassword: false } as const
  return planRedisHost(thisHost(), { ...defaults, ...options })
}

/** What stands in each file that would change. */
function texts(plan: Plan): Record<string, string> {
  return Object.fromEntries(pending(plan).map(({ path, after }) => [path, after]))
}

function bindIn(plan: Plan): string | undefined {
  return /^bind .*$/m.exec(texts(plan)[CONF] ?? '')?.[0]
}

test('planRedisHost() mends the bind of the field report by the version of Redis', async (t) => {
  begin(t)
  for (const [version, bind] of [
    ['7.0.15', 'bind 127.0.0.1 172.30.0.1 172.31.0.1 -::1'],
    ['6.2.14', 'bind 127.0.0.1 172.30.0.1 172.31.0.1 -::1'],
    ['5:7.0.15-1~deb12u10', 'bind 127.0.0.1 172.30.0.1 172.31.0.1 -::1'],
  ] as const)
    assert.equal(bindIn(await plan(REPORTED, version)), bind, version)
  // Redis 6.0 ends on any word with a dash, and skips what is missing by itself.
  assert.equal(bindIn(await plan(REPORTED, '6.0.16')), undefined)
  assert.equal(bindIn(await plan('bind 127.0.0.1 172.30.0.1 -::1\n', '6.0.16')), 'bind 127.0.0.1 172.30.0.1 ::1')
})

test('planRedisHost() leaves no address optional but ::1', async (t) => {
  begin(t)
  const bind = bindIn(await plan('bind 127.0.0.1 -172.30.0.1 -::1\n', '7.0.15', { addresses: ['172.31.0.1'] }))
  assert.equal(bind, 'bind 127.0.0.1 172.30.0.1 172.31.0.1 -::1')
})

test('planRedisHost() gives a password where Redis would answer DENIED, and nowhere else', async (t) => {
  begin(t)
  const secret = '/etc/redis/evenkeel-password.conf'
  const withPassword = async (conf: string, version: string, options = {}): Promise<boolean> =>
    secret in texts(await plan(REPORTED + conf, version, options))
  assert.equal(await withPassword('', '7.0.15'), true)
  assert.equal(await withPassword('', '6.2.14'), false)
  assert.equal(await withPassword('', '6.2.14', { generatePassword: true }), true)
  assert.equal(await withPassword('requirepass hunter2-is-here\n', '7.0.15'), false)
  assert.equal(await withPassword('user default on >hunter2-is-here ~* +@all\n', '7.0.15'), false)
  assert.equal(await withPassword('user default on nopass ~* +@all\n', '7.0.15'), true)
  assert.equal(await withPassword('protected-mode no\n', '7.0.15'), false)
})

test('planRedisHost() keeps a password out of redis.conf, and reads it where it is included', async (t) => {
  begin(t)
  const first = await plan(REPORTED, '7.0.15', { password: 'hunter2-is-secret' })
  const files = texts(first)
  assert.match(files[CONF] ?? '', /^include \/etc\/redis\/evenkeel-password\.conf$/m)
  assert.doesNotMatch(files[CONF] ?? '', /hunter2/)
  const secret = pending(first).find(({ path }) => path.endsWith('evenkeel-password.conf'))
  assert.deepEqual([secret?.after, secret?.mode, secret?.secret], ['requirepass hunter2-is-secret\n', 0o640, true])
  put('/etc/redis/evenkeel-password.conf', secret?.after ?? '')
  const second = await plan(files[CONF] ?? '', '7.0.15')
  assert.deepEqual(
    Object.keys(texts(second)).filter((path) => path.startsWith('/etc/redis')),
    [],
  )
})

test('planRedisHost() takes up the password that an undo has left, and marks one that it makes', async (t) => {
  begin(t)
  const made = async (options = {}): Promise<readonly [string | undefined, boolean | undefined]> => {
    const file = (await plan(REPORTED, '7.0.15', options)).files.find(({ secret }) => secret)
    return [/^requirepass (\S+)$/m.exec(file?.after ?? '')?.[1], file?.keep]
  }
  assert.match((await made())[0] ?? '', /^[\w-]{43}$/)
  assert.equal((await made())[1], true)
  assert.deepEqual(await made({ password: 'hunter2-of-a-file' }), ['hunter2-of-a-file', false])
  put('/etc/redis/evenkeel-password.conf', 'requirepass left-by-an-undo\n')
  assert.deepEqual(await made(), ['left-by-an-undo', true])
})

test('planRedisHost() changes bind in the file where it counts', async (t) => {
  begin(t)
  put('/etc/redis/conf.d/net.conf', REPORTED)
  put('/etc/redis/conf.d/other.txt', 'bind 10.0.0.1\n')
  const files = texts(await plan('bind 127.0.0.1\ninclude /etc/redis/conf.d/*.conf\n', '6.2.14'))
  assert.equal(files['/etc/redis/conf.d/net.conf'], 'bind 127.0.0.1 172.30.0.1 172.31.0.1 -::1\n')
  assert.equal(files[CONF], undefined)
})

test('planRedisHost() hangs nothing on Docker, and takes out what does', async (t) => {
  begin(t)
  const override = '/etc/systemd/system/redis-server.service.d/override.conf'
  put(override, '[Unit]\nAfter=docker.service\nRequires=docker.service network-online.target\nBindsTo=docker.service\n')
  const made = await plan(REPORTED, '7.0.15')
  assert.equal(texts(made)[override], '[Unit]\nAfter=docker.service\nRequires=network-online.target\n')
  for (const [path, text] of Object.entries(texts(made)))
    assert.doesNotMatch(text, /^(Requires|BindsTo)=.*docker|^protected-mode no/m, path)
  assert.ok(made.notes.some((note) => note.includes('After=docker.service')))
})

test('planRedisHost() writes the files of each fix', async (t) => {
  begin(t)
  const dropIn = '/etc/systemd/system/redis-server.service.d/zz-evenkeel.conf'
  const nonlocal = texts(await plan(REPORTED, '7.0.15'))
  assert.match(nonlocal['/etc/sysctl.d/60-evenkeel-redis.conf'] ?? '', /^net\.ipv4\.ip_nonlocal_bind = 1$/m)
  assert.doesNotMatch(nonlocal['/etc/sysctl.d/60-evenkeel-redis.conf'] ?? '', /ipv6/)
  assert.match(nonlocal[dropIn] ?? '', /^StartLimitIntervalSec=0$[\s\S]*^Restart=always$[\s\S]*^RestartSec=2$/m)
  const restart = texts(await plan(REPORTED, '7.0.15', { fix: 'restart' }))
  assert.deepEqual(
    Object.keys(restart).filter((path) => !path.startsWith('/etc/redis')),
    [dropIn],
  )
  const own = texts(await plan(REPORTED, '7.0.15', { hostAddress: '10.99.0.1' }))
  assert.match(own[CONF] ?? '', /^bind 127\.0\.0\.1 10\.99\.0\.1 -::1$/m)
  assert.match(own[dropIn] ?? '', /^Wants=evenkeel-redis-address\.service$/m)
  const unit = own['/etc/systemd/system/evenkeel-redis-address.service'] ?? ''
  assert.match(
    unit,
    /^Before=redis-server\.service$[\s\S]*^ExecStart=\/sbin\/ip address replace 10\.99\.0\.1\/32 dev lo$/m,
  )
})

test('planRedisHost() sets the kernel for IPv6 bridges too', async (t) => {
  begin(t)
  const made = texts(await plan('bind 127.0.0.1 fd00:30::1\n', '7.0.15'))
  assert.match(made['/etc/sysctl.d/60-evenkeel-redis.conf'] ?? '', /^net\.ipv6\.ip_nonlocal_bind = 1$/m)
})

test('an undo gives the kernel back what it had, for IPv6 too', () => {
  const bind = ['127.0.0.1', 'fd00:30::1']
  assert.deepEqual(undoOfKernel({ bind, nonlocalBind: { ipv4: '0', ipv6: '1' } }), [
    'sysctl',
    '-w',
    'net.ipv4.ip_nonlocal_bind=0',
    'net.ipv6.ip_nonlocal_bind=1',
  ])
  const ipv4 = undoOfKernel({ bind: ['127.0.0.1', '172.30.0.1'], nonlocalBind: { ipv4: '1', ipv6: '0' } })
  assert.deepEqual(ipv4, ['sysctl', '-w', 'net.ipv4.ip_nonlocal_bind=1'])
})

test('planRedisHost() has nothing to do where nothing can be missing', async (t) => {
  begin(t)
  for (const conf of ['bind 127.0.0.1 -::1\n', 'bind * -::*\n', 'bind 0.0.0.0\n', 'port 6379\n'])
    assert.deepEqual(texts(await plan(conf, '7.0.15')), {}, conf)
})

test('planRedisHost() says which option would help', async (t) => {
  begin(t)
  const refuses = async (option: string, made: Promise<Plan>): Promise<void> => {
    await assert.rejects(made, (error) => error instanceof OptionError && error.option === option, option)
  }
  await refuses('--redis-version', plan(REPORTED, 'seven'))
  await refuses('--unit', plan(REPORTED, '7.0.15', { unit: 'cache.service' }))
  await refuses('--conf', plan(REPORTED, '7.0.15', { conf: '/etc/none.conf' }))
  await refuses('--host-address', plan(REPORTED, '7.0.15', { fix: 'host-address' }))
})
