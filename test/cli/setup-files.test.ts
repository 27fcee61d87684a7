/** The files of `setup redis-conf` and `setup env`: a real Redis starts with the one, and the other leads to it. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { applyPlan, targetOfUrl, thisHost } from '../../src/operate/index.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually, freePort } from '../support/wait.ts'
import { evenkeel, noTerminal, onTerminal, type Run } from './command-line.ts'

let folder: string
before(() => {
  folder = scratchDirectory('files')
})
after(() => removeScratch(folder))

describe('setup redis-conf', () => {
  for (const role of ['cache', 'queue', 'sessions', 'store', 'mixed'])
    test(`a real Redis starts with the file for ${role} and says the same`, async () => {
      const file = join(folder, `${role}.conf`)
      const args = ['setup', 'redis-conf', '--role', role, '--memory', '256mb', '--output', file, '--apply']
      assert.equal((await evenkeel(args)).code, 0)
      // The server of the tests gives options that would win; those of the file come last again.
      const own = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /^(save|appendonly) /.test(line))
      const again = own.flatMap((line) => [`--${line.split(' ')[0]}`, ...line.replaceAll('"', '').split(' ').slice(1)])
      await using server = await RedisServer.start({ configFile: file, args: again })
      const says = async (name: string): Promise<unknown> =>
        ((await server.command('CONFIG', 'GET', name)) as string[])[1]
      assert.equal(await says('maxmemory'), String((role === 'cache' ? 192 : 153) * 1024 ** 2))
      assert.equal(await says('appendonly'), role === 'cache' ? 'no' : 'yes')
      assert.equal(String(await says('maxmemory-policy')).startsWith('allkeys'), role === 'cache')
      assert.equal(await server.command('SET', 'a', '1'), 'OK')
    })

  test('it changes the lines of an existing file and no other, and undo gives it back', async () => {
    const directory = join(folder, 'existing')
    mkdirSync(directory)
    const file = join(directory, 'redis.conf')
    const text = '# mine\nport 7000\nmaxmemory-policy allkeys-lru\nsave 900 1\nsave 60 1000\n'
    writeFileSync(file, text, { mode: 0o640 })
    const args = ['setup', 'redis-conf', '--role', 'queue', '--memory', '1gb', '--output', file, '--apply']
    const { code, stdout } = await evenkeel(args)
    assert.equal(code, 0)
    assert.match(stdout, /^-maxmemory-policy allkeys-lru$[\s\S]*^\+maxmemory-policy noeviction$/m)
    const changed = readFileSync(file, 'utf8')
    assert.match(changed, /^# mine\nport 7000\nmaxmemory-policy noeviction\nsave 3600 1\nsave 300 100\nsave 60 10000\n/)
    assert.equal(statSync(file).mode & 0o777, 0o640)
    assert.equal((await evenkeel(['setup', 'undo', '--directory', directory, '--apply'])).code, 0)
    assert.equal(readFileSync(file, 'utf8'), text)
  })

  test('it shows no password that stands near a change, and warns of a restart that would start empty', async () => {
    const file = join(folder, 'near.conf')
    writeFileSync(file, 'port 7000\nrequirepass hunter2secret\nmasterauth hunter3secret\n')
    const plan = async (role: string, ...more: string[]): Promise<string> => {
      const args = ['setup', 'redis-conf', '--role', role, '--memory', '1gb', '--output', file, '--dry-run', ...more]
      const { stdout, stderr } = await evenkeel(args)
      return stdout + stderr
    }
    for (const text of [await plan('queue'), await plan('queue', '--json')]) {
      assert.doesNotMatch(text, /hunter/)
      assert.match(text, /requirepass \*\*\*/)
      assert.match(text, /Do NOT restart/)
    }
    assert.doesNotMatch(await plan('cache'), /Do NOT restart/)
    writeFileSync(file, 'port 7000\nappendonly yes\n')
    assert.doesNotMatch(await plan('queue'), /Do NOT restart/)
  })
})

test('setup redis-conf refuses what would be an empty start, and its first step leads past it without a loss', async () => {
  const data = join(folder, 'data')
  mkdirSync(data)
  const file = join(folder, 'snapshots.conf')
  const text = `dir ${data}\nsave 3600 1\n`
  writeFileSync(file, text)
  const setup = (): ReturnType<typeof evenkeel> =>
    evenkeel(['setup', 'redis-conf', '--role', 'queue', '--memory', '256mb', '--output', file, '--apply'])
  {
    await using server = await RedisServer.start({ configFile: file, args: ['--dir', data] })
    await server.command('SET', 'job', '7')
    await server.command('SAVE')
    const refused = await setup()
    assert.equal(refused.code, 1, refused.stdout)
    assert.match(
      refused.stderr,
      /dump\.rdb holds data, and there is no append-only file[\s\S]*CONFIG SET appendonly yes/,
    )
    assert.equal(readFileSync(file, 'utf8'), text)
    await server.command('CONFIG', 'SET', 'appendonly', 'yes')
    await eventually('the append-only file to be whole', async () => {
      const info = String(await server.command('INFO', 'persistence'))
      return /aof_rewrite_in_progress:0\r[\s\S]*aof_rewrite_scheduled:0\r[\s\S]*aof_last_bgrewrite_status:ok/.test(info)
    })
    await server.command('SET', 'later', '8')
    assert.equal((await setup()).code, 0)
  }
  await using again = await RedisServer.start({ configFile: file, args: ['--dir', data, '--appendonly', 'yes'] })
  assert.deepEqual([await again.command('GET', 'job'), await again.command('GET', 'later')], ['7', '8'])
})

test('on a terminal setup asks, and does what is answered', { skip: noTerminal() ?? false }, async () => {
  const file = join(folder, 'asked.conf')
  const args = ['setup', 'redis-conf', '--role', 'cache', '--memory', '256mb', '--output', file]
  const no = await onTerminal(args, 'n\n')
  assert.match(no.stdout, /Do it\? \[y\/N\] /)
  assert.deepEqual([no.code, existsSync(file)], [0, false])
  const yes = await onTerminal(args, 'y\n')
  assert.deepEqual([yes.code, existsSync(file)], [0, true], yes.stdout)
  assert.ok(yes.stdout.includes('\u001B[32m✓\u001B[39m Done.'))
})

test('setup undo says which program failed, for people and for programs', async () => {
  const directory = join(folder, 'failing')
  mkdirSync(join(directory, '.evenkeel'), { recursive: true })
  const journal = { version: 1, id: '20260101T000000000Z', plan: 'test', files: [], directories: [], undoneAt: null }
  const write = (): void =>
    writeFileSync(join(directory, '.evenkeel', `${journal.id}.json`), JSON.stringify({ ...journal, undo: [['false']] }))
  write()
  const shown = await evenkeel(['setup', 'undo', '--directory', directory, '--apply'])
  assert.equal(shown.code, 1)
  assert.match(shown.stdout, /^✗ false ended with 1$/m)
  write()
  const machine = await evenkeel(['setup', 'undo', '--directory', directory, '--apply', '--json'])
  assert.equal(machine.code, 1)
  const { failed, undone } = JSON.parse(machine.stdout) as { failed: string[]; undone: boolean }
  assert.deepEqual([failed, undone], [['false ended with 1'], false])
})

describe('setup env', () => {
  /** A redis.conf with this bind; what setup env makes of it. */
  async function envFor(
    bind: string,
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const conf = join(folder, 'host.conf')
    writeFileSync(conf, `bind ${bind}\nport 6380\nrequirepass hunter2-is-secret\n`)
    const run = await evenkeel([
      'setup',
      'env',
      '--redis',
      'host',
      '--conf',
      conf,
      '--output',
      join(folder, 'x.env'),
      ...args,
    ])
    assert.ok(!`${run.stdout}${run.stderr}`.includes('hunter2'))
    return run
  }

  test('a container is told the address that Redis binds, not host-gateway', async () => {
    const one = await envFor('127.0.0.1 172.30.0.1 -::1')
    assert.match(one.stdout, /^\+REDIS_URL=redis:\/\/:\*\*\*@redis\.host:6380\/0$/m)
    assert.match(one.stdout, /extra_hosts: \["redis\.host:172\.30\.0\.1"\]/)
    const gateway = await envFor('127.0.0.1 172.17.0.1 172.30.0.1')
    assert.match(gateway.stdout, /@host\.docker\.internal:6380/)
    assert.match(gateway.stdout, /extra_hosts: \["host\.docker\.internal:host-gateway"\]/)
    const several = await envFor('127.0.0.1 172.30.0.1 172.31.0.1', '--gateway', '172.31.0.1')
    assert.match(several.stdout, /extra_hosts: \["redis\.host:172\.31\.0\.1"\]/)
    assert.match((await envFor('127.0.0.1', '--app', 'host')).stdout, /@127\.0\.0\.1:6380/)
  })

  test('it does not guess: several addresses, or none that a container reaches, end with 2', async () => {
    const several = await envFor('127.0.0.1 172.30.0.1 172.31.0.1')
    assert.deepEqual([several.code, /--gateway/.test(several.stderr)], [2, true])
    const none = await envFor('127.0.0.1 -::1')
    assert.deepEqual([none.code, /localhost alone/.test(none.stderr)], [2, true])
    const missing = await envFor('127.0.0.1 172.30.0.1', '--gateway', '172.40.0.1')
    assert.match(missing.stderr, /setup redis-host --address 172\.40\.0\.1/)
  })

  test('it changes its own lines of a .env, and shows nothing of the others', async () => {
    const file = join(folder, 'own.env')
    writeFileSync(file, 'API_KEY=hunter2-of-others\nREDIS_URL=redis://old:hunter2@gone\n')
    const conf = join(folder, 'host2.conf')
    writeFileSync(conf, 'bind 127.0.0.1\nrequirepass new-password\n')
    const args = ['--conf', conf, '--app', 'host', '--output', file, '--variable', 'CELERY_BROKER_URL=1', '--apply']
    const { code, stdout } = await evenkeel(['setup', 'env', '--redis', 'host', ...args])
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /hunter2|new-password/)
    const lines = ['API_KEY=hunter2-of-others', 'REDIS_URL=redis://:new-password@127.0.0.1:6379/0']
    assert.equal(
      readFileSync(file, 'utf8'),
      `${lines.join('\n')}\nCELERY_BROKER_URL=redis://:new-password@127.0.0.1:6379/1\n`,
    )
  })
})

test('setup env changes every line of a name, and leaves export and line ends', async () => {
  const file = join(folder, 'several.env')
  writeFileSync(file, 'export REDIS_URL=redis://old\r\nOTHER=1\n# REDIS_URL=remark\n\n  REDIS_URL = redis://older\n')
  const conf = join(folder, 'host3.conf')
  writeFileSync(conf, `bind 127.0.0.1\nrequirepass "p@ss:/#%?$(x)!'*~"\n`)
  const args = ['--conf', conf, '--app', 'host', '--output', file]
  const { code, stderr } = await evenkeel(['setup', 'env', '--redis', 'host', ...args, '--apply'])
  assert.equal(code, 0, stderr)
  const url = 'redis://:p%40ss%3A%2F%23%25%3F%24%28x%29%21%27%2A%7E@127.0.0.1:6379/0'
  assert.equal(decodeURIComponent(new URL(url).password), `p@ss:/#%?$(x)!'*~`)
  assert.equal(
    readFileSync(file, 'utf8'),
    `export REDIS_URL=${url}\r\nOTHER=1\n# REDIS_URL=remark\n\n  REDIS_URL=${url}\n`,
  )
})

test('a plan whose proof fails is put back, and the cause is told', async () => {
  const path = join(folder, 'unproven.conf')
  writeFileSync(path, 'before\n')
  const before = { text: 'before\n', mode: 0o644, ...ownerOf(path) }
  const file = { path, before, after: 'after\n', mode: 0o644, secret: false, reasons: [] }
  const port = await freePort()
  const target = targetOfUrl(`redis://127.0.0.1:${port}`, 'the test')
  const proofs = [{ kind: 'serves', target }] as const
  const parts = { name: 'test', choice: '', root: '/', journal: join(folder, 'journal'), steps: [], notes: [] }
  const applied = await applyPlan({ ...parts, files: [file], proofs }, { host: thisHost(), proveWithinMs: 500 })
  assert.ok(applied.outcome === 'rolled-back')
  assert.match(applied.failure, /^Not proven: Redis answers at 127\.0\.0\.1:\d+: tcp: .*ECONNREFUSED.* \[refused\]$/)
  assert.equal(readFileSync(path, 'utf8'), 'before\n')
})

function ownerOf(path: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(path)
  return { uid, gid }
}

describe('no output of setup has a password in it', () => {
  const SECRET = 'hunter2 p@ss:/#%?'
  /** Every spelling that a file or a URL has it in. */
  const SPELLINGS = [/hunter2/, /p@ss:/, /p%40ss/]

  /** What a part of setup and its undo print when they show, apply, and take back; for people and for programs. */
  async function printed(part: readonly string[], undo: readonly string[]): Promise<string> {
    const setup = (...words: string[]): Promise<Run> => evenkeel(['setup', ...words])
    const shown = await Promise.all([setup(...part, '--dry-run'), setup(...part, '--dry-run', '--json')])
    const runs = [...shown, await setup(...part, '--apply', '--json')]
    const undone = await Promise.all([setup('undo', ...undo, '--dry-run', '--json'), setup('undo', ...undo)])
    runs.push(...undone, await setup('undo', ...undo, '--apply'), await setup(...part, '--apply'))
    const texts = runs.flatMap(({ stdout, stderr }) => [stdout, stderr])
    return texts.join('\n')
  }

  function put(path: string, text: string): string {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  function assertSecret(text: string, mark: RegExp): void {
    assert.match(text, mark, 'the change is shown')
    for (const spelling of SPELLINGS) assert.doesNotMatch(text, spelling)
  }

  test('env: neither of the file before nor of the one after', async () => {
    const directory = join(folder, 'secret-env')
    const conf = put(join(directory, 'redis.conf'), `bind 127.0.0.1\nrequirepass "${SECRET}"\n`)
    const output = put(join(directory, '.env'), `REDIS_URL=redis://:hunter2@gone\nAPI_KEY=hunter2\n`)
    const args = ['env', '--redis', 'host', '--app', 'host', '--conf', conf, '--output', output]
    assertSecret(await printed(args, ['--directory', directory]), /^\+REDIS_URL=redis:\/\/:\*\*\*@127/m)
  })

  test('redis-conf: of the lines around', async () => {
    const directory = join(folder, 'secret-conf')
    const lines = [
      `requirepass "${SECRET}"`,
      'maxmemory 1mb',
      `masterauth "${SECRET}"`,
      'user app on >hunter2 ~* +@all',
    ]
    const output = put(join(directory, 'redis.conf'), `${lines.join('\n')}\n`)
    const args = ['redis-conf', '--role', 'cache', '--memory', '256mb', '--output', output]
    assertSecret(await printed(args, ['--directory', directory]), /^\+maxmemory 192mb$/m)
  })

  test('compose: of a file that somebody has changed by hand', async () => {
    const directory = join(folder, 'secret-compose')
    const lines = [
      'services:',
      '  redis:',
      '    command: redis-server --requirepass hunter2',
      '    environment:',
      `      REDIS_PASSWORD: ${SECRET}`,
      '      URL: redis://:hunter2@redis:6379',
    ]
    put(join(directory, 'compose.yaml'), `${lines.join('\n')}\n`)
    put(join(directory, 'secrets/redis_password'), 'hunter2-of-the-volume\n')
    const args = ['compose', 'single', '--directory', directory]
    assertSecret(await printed(args, ['--directory', directory]), /^-\s+command: redis-server --requirepass \*\*\*$/m)
    assert.equal(readFileSync(join(directory, 'secrets/redis_password'), 'utf8'), 'hunter2-of-the-volume\n')
  })

  test('redis-host: of redis.conf and of units', async () => {
    const root = join(folder, 'secret-host')
    put(join(root, 'etc/redis/redis.conf'), `requirepass "${SECRET}"\nbind 127.0.0.1 172.30.0.1\nmasterauth hunter2\n`)
    const unit = '[Service]\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf\n'
    put(join(root, 'lib/systemd/system/redis-server.service'), unit)
    const dropIn = '[Unit]\nRequires=docker.service\n[Service]\nEnvironment="REDIS_PASSWORD=hunter2"\n'
    put(join(root, 'etc/systemd/system/redis-server.service.d/mine.conf'), dropIn)
    const args = ['redis-host', '--root', root, '--redis-version', '7.0.15', '--address', '172.31.0.1']
    const text = await printed(args, ['--root', root])
    assertSecret(text, /^-Requires=docker\.service$[\s\S]*^ Environment="REDIS_PASSWORD=\*\*\*"$/m)
  })
})
