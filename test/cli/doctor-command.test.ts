/** How `evenkeel doctor` is used: what it reads, what it prints, how it ends. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CATALOGUE } from '../../src/operate/index.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { RedisServer } from '../support/redis-server.ts'
import { outOfMemory } from '../support/redis-states.ts'
import { freePort } from '../support/wait.ts'
import { diagnosed, evenkeel, noTerminal, onTerminal, type DoctorOutput } from './command-line.ts'

const skip = noTerminal() ?? false
const server = await RedisServer.start({ args: ['--bind', '127.0.0.1'] })
after(() => server.stop())

test('doctor --list names every check, --help shows examples', async () => {
  const list = await evenkeel(['doctor', '--list'])
  assert.equal(list.code, 0)
  assert.deepEqual(
    list.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ', 1)[0]),
    CATALOGUE.map(({ id }) => id),
  )
  const machine = await evenkeel(['doctor', '--list', '--json', '--only', 'memory'])
  const { checks } = JSON.parse(machine.stdout) as { checks: Readonly<Record<string, string>>[] }
  assert.deepEqual(
    checks,
    CATALOGUE.filter(({ layer }) => layer === 'memory').map(({ id, layer, severity, title, why }) => ({
      id,
      layer,
      severity,
      title,
      why,
    })),
  )
  const some = await evenkeel(['doctor', '--list', '--only', 'persistence', '--skip', 'persistence.loading'])
  assert.ok(some.stdout.startsWith('persistence.snapshot ') && !some.stdout.includes('loading'))
  const help = await evenkeel(['doctor', '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /Examples:\n {2}evenkeel doctor /)
})

test('on a terminal doctor shows how far it is, and takes that away before it reports', { skip }, async () => {
  const { stdout } = await onTerminal(['doctor', server.url, '--only', 'memory'])
  const count = CATALOGUE.filter(({ layer }) => layer === 'memory').length
  const [progress = '', report = ''] = stdout.split('\r\u001B[K')
  const steps = [...progress.matchAll(new RegExp(`\\r(\\d+) of ${count} checks`, 'g'))].map(([, done]) => Number(done))
  assert.deepEqual(
    steps,
    Array.from({ length: count }, (_, index) => index + 1),
  )
  assert.match(report, /Redis 127\.0\.0\.1/)
  assert.doesNotMatch(report, / checks\b.*\r\d+ of/)
  const machine = await onTerminal(['doctor', server.url, '--only', 'memory', '--json'])
  assert.ok(machine.stdout.startsWith('{'), 'a program is shown none')
  const piped = await evenkeel(['doctor', server.url, '--only', 'memory'])
  assert.doesNotMatch(piped.stdout + piped.stderr, /of \d+ checks|\r/)
})

test('wrong use of doctor ends with 2, and says what was wrong', async () => {
  const uses: readonly (readonly [readonly string[], RegExp])[] = [
    [['--bogus'], /Unknown option '--bogus'/],
    [['polic'], /such as memory\.policy, .*got 'polic'/],
    [['--only', 'clocks'], /or a layer: connection, host, .*got 'clocks'/],
    [['--only', 'memory', '--skip', 'memory'], /leave a check/],
    [['--role', 'store=db0'], /'--role'.*cache, sessions/],
    [['--role', 'cache=0'], /cache=db0 or cache=<prefix>\*, got 'cache=0'/],
    [['--timeout', 'soon'], /'--timeout'.*'soon'/],
    [['redis://user:hunter2@host:port'], /argument 1/],
  ]
  const runs = await Promise.all(uses.map(([args]) => evenkeel(['doctor', ...args])))
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    assert.equal(code, 2, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, uses[index]?.[1] ?? /never/)
    assert.ok(!stderr.includes('hunter2'), stderr)
  }
})

test('doctor runs the checks that are named, and no others', async () => {
  const { findings } = await diagnosed(['memory.headroom', 'traffic.keep-alive', server.url])
  assert.deepEqual(
    findings.map(({ check }) => check),
    ['memory.headroom', 'traffic.keep-alive'],
  )
  const layer = await diagnosed(['--only', 'persistence', server.url])
  assert.deepEqual([...new Set(layer.findings.map(({ layer: name }) => name))], ['persistence'])
})

test('doctor reads the environment as check does, and falls back to this machine', async () => {
  const { port } = server
  const { source } = await diagnosed(['--only', 'persistence'], {
    env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) },
  })
  assert.equal(source, 'REDIS_HOST')
  const { stderr } = await evenkeel(['doctor', 'memory.limit'])
  assert.match(stderr, /^note: No endpoint is named, so this is about redis:\/\/127\.0\.0\.1:6379\.$/m)
})

test('doctor tells of several endpoints, and of PostgreSQL what check finds out', async () => {
  await using database = await PostgresServer.start()
  const closed = `postgres://user:hunter2@127.0.0.1:${await freePort()}/shop`
  const args = ['doctor', '--json', '--only', 'connection', server.url, database.url, closed]
  const { code, stdout } = await evenkeel(args)
  assert.equal(code, 1)
  const { endpoints } = JSON.parse(stdout) as DoctorOutput
  assert.deepEqual(
    endpoints.map(({ served, failed }) => [served, failed?.code]),
    [
      [true, undefined],
      [true, undefined],
      [false, 'refused'],
    ],
  )
  assert.ok(!stdout.includes('hunter2'))
})

test('doctor groups by layer, worst first, and names the cause before everything else', async () => {
  await using _ = await outOfMemory(server)
  const { stdout, code } = await evenkeel(['doctor', server.url])
  assert.equal(code, 1)
  const lines = stdout.split('\n')
  assert.match(
    lines[0] ?? '',
    /^✗ Redis 127\.0\.0\.1:\d+ {2}\(argument 1\) {2}It serves\. \d+ fail, \d+ warn, of \d+ findings\.$/,
  )
  assert.match(lines[1] ?? '', /^ {2}Most likely: /)
  const layers = lines.filter((line) => /^[a-z]+$/.test(line))
  assert.deepEqual(layers, [
    'connection',
    'host',
    'security',
    'memory',
    'persistence',
    'traffic',
    'replication',
    'application',
  ])
  for (const line of lines) assert.ok(line.length <= 120 || line.includes('$ '), line)
})

test('doctor --verbose tells of checks too that have nothing to say', async () => {
  const quiet = await evenkeel(['doctor', '--only', 'persistence', server.url])
  const verbose = await evenkeel(['doctor', '--only', 'persistence', '--verbose', server.url])
  assert.doesNotMatch(quiet.stdout, /persistence\.loading/)
  assert.match(verbose.stdout, /✓ All is loaded\. \[persistence\.loading\]/)
})
