/** How the command line is used: what it reads, how it waits, how it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { manifest, root } from '../../scripts/project.ts'
import { RedisServer } from '../support/redis-server.ts'
import { freePort } from '../support/wait.ts'
import { evenkeel, examine, type Report } from './command-line.ts'

let server: RedisServer
let directory: string

before(async () => {
  server = await RedisServer.start()
  directory = mkdtempSync(join(tmpdir(), 'evenkeel-cli-'))
})

after(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

const QUICK = ['--probes', '0']

test('evenkeel tells its version and its commands', async () => {
  assert.deepEqual((await evenkeel(['--version'])).stdout, `${manifest.version}\n`)
  const help = await evenkeel(['--help'])
  assert.match(help.stdout, /^Examples:\n {2}evenkeel check /m)
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^ {2}check {2,}/m)
  const ofCheck = await evenkeel(['check', '--help'])
  assert.equal(ofCheck.code, 0)
  assert.match(ofCheck.stdout, /Examples:\n {2}evenkeel check /)
})

test('wrong use ends with 2 and says what was wrong, without showing a credential', async () => {
  const uses: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /Usage: evenkeel <command>/],
    [['chekc'], /no command 'chekc'/],
    [['check', '--bogus'], /Unknown option '--bogus'/],
    [['check', '--timeout', 'soon'], /'--timeout'.*'soon'/],
    [['check', '--ca', `${directory}/none`], /--ca.*none/],
    [['check', 'ftp://user:hunter2@host'], /argument 1.*'ftp:\/\/'/],
    [['check', 'redis://user:hunter2@host:port'], /argument 1/],
    [['check'], /Nothing to check/],
  ]
  const runs = await Promise.all(uses.map(([args]) => evenkeel(args)))
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    assert.equal(code, 2, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, uses[index]?.[1] ?? /never/)
    assert.ok(!stderr.includes('hunter2'), stderr)
  }
})

test('a Node that is too old is told, instead of a wrong diagnosis', async () => {
  const older = join(directory, 'older.mjs')
  const on = async (node: string) => {
    writeFileSync(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`,
    )
    return await evenkeel(['check', '--help'], { env: { NODE_OPTIONS: `--import=${older}` } })
  }
  for (const node of ['20.20.2', '22.17.1']) {
    const { code, stdout, stderr } = await on(node)
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, new RegExp(`^evenkeel: Node 22\\.18 or newer is needed; this is ${node} \\(.+\\)\\.\\n$`))
  }
  assert.equal((await on('22.18.0')).code, 0)
})

test('check reads the environment, and one endpoint under two names is one', async () => {
  const { host, port } = server
  const one = await examine(QUICK, { env: { REDIS_HOST: host, REDIS_PORT: String(port), REDIS_DB: '2' } })
  assert.deepEqual([one.diagnosis.source, one.diagnosis.place], ['REDIS_HOST', `${host}:${port}, database 2`])
  const env = {
    REDIS_URL: `${server.url}/1`,
    CELERY_BROKER_URL: `${server.url}/1`,
    MEDUSA_REDIS_URL: server.url,
    DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/shop',
    MINIO_ENDPOINT: '127.0.0.1:1',
  }
  const { report } = await examine(QUICK, { env, secrets: ['hunter2'] })
  assert.deepEqual(
    report.endpoints.map(({ kind, source, served }) => [kind, source, served]),
    [
      ['redis', 'REDIS_URL, CELERY_BROKER_URL', true],
      ['redis', 'MEDUSA_REDIS_URL', true],
      ['postgres', 'DATABASE_URL', false],
      ['http', 'MINIO_ENDPOINT', false],
    ],
  )
})

test('a password of special characters is the same in a URL, in variables and in a .env, and stands in no output', async () => {
  const password = 'p@ss:/#%?'
  await using server = await RedisServer.start({ args: ['--requirepass', password] })
  const url = `redis://:${encodeURIComponent(password)}@127.0.0.1:${server.port}`
  const place = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(server.port) }
  const file = join(directory, 'special.env')
  writeFileSync(
    file,
    `CELERY_BROKER_URL=${url}/1\nexport REDIS_PASSWORD="${password}"\nREDIS_HOST=127.0.0.1\nREDIS_PORT=${server.port}\n`,
  )
  const runs = await Promise.all([
    evenkeel(['check', '--probes', '0', url]),
    evenkeel(['check', '--probes', '0', '--json'], { env: { ...place, REDIS_PASSWORD: password } }),
    evenkeel(['check', '--probes', '0', '--env-file', file]),
    evenkeel(['check', '--probes', '0'], { env: { ...place, REDIS_PASSWORD: `${password}wrong` } }),
  ])
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0, 1],
  )
  for (const { stdout, stderr } of runs) assert.doesNotMatch(stdout + stderr, /p@ss|p%40ss/)
})

test('check --env-file reads the file alone', async () => {
  const file = join(directory, '.env')
  writeFileSync(file, `# compose\nREDIS_URL="${server.url}/4"\n`)
  const { diagnosis } = await examine(['--env-file', file, ...QUICK], { env: { REDIS_URL: 'redis://127.0.0.1:1' } })
  assert.deepEqual([diagnosis.served, diagnosis.place], [true, `127.0.0.1:${server.port}, database 4`])
})

test('check --env-file refuses a file that is not there', async () => {
  // Node reads --env-file too, wherever it stands, and says 9 where we would say 2.
  const { code, stderr } = await evenkeel(['check', '--env-file', `${directory}/none`])
  assert.ok(code === 9 || code === 2, `${code}`)
  assert.match(stderr, /none/)
})

test('check --wait opens as soon as Redis is there, and says meanwhile what it waits for', async () => {
  const port = await freePort()
  const waiting = evenkeel(['check', '--wait', '30s', '--json', `redis://127.0.0.1:${port}`])
  await using late = await RedisServer.start({ port })
  const { code, stdout, stderr } = await waiting
  assert.equal(code, 0, stdout)
  assert.equal((JSON.parse(stdout) as Report).served, true)
  assert.ok(
    stderr === '' || /^waiting, \d+ s left: Redis 127\.0\.0\.1:\d+: tcp: connect ECONNREFUSED/.test(stderr),
    stderr,
  )
  assert.ok(late.pid > 0)
})

test('check --wait ends with 1 and the cause when the time is over', async () => {
  const { code, stdout, stderr, ms } = await evenkeel(['check', '--wait', '1500ms', 'redis://127.0.0.1:1'])
  assert.equal(code, 1)
  assert.match(stdout, /✗ tcp .*ECONNREFUSED/)
  assert.match(stderr, /^waiting, 2 s left: Redis 127\.0\.0\.1:1: tcp: /)
  assert.equal(stderr.trimEnd().split('\n').length, 1, 'the same cause is told once')
  assert.ok(ms > 1000 && ms < 6000, `${ms} ms`)
})

test('check ends with its code although nobody reads what it says', async () => {
  const launcher = ['sh', '-c', '{ "$@"; echo "code $?" >&2; } | :', 'sh']
  const { stderr } = await evenkeel(['check', ...QUICK, server.url], { launcher })
  assert.equal(stderr, 'code 0\n')
})

test('evenkeel --version starts in at most twice the time of an empty Node', () => {
  // As it is published: types stripped. Of each the fastest of several starts, which neighbours disturb least.
  const folder = join(directory, 'dist', 'cli')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(directory, 'package.json'), readFileSync(join(root, 'package.json')))
  const source = readFileSync(join(root, 'src', 'cli', 'main.ts'), 'utf8')
  writeFileSync(join(folder, 'main.js'), stripTypeScriptTypes(source))
  writeFileSync(join(folder, 'empty.js'), '')
  const fastest = new Map([
    ['main.js', Infinity],
    ['empty.js', Infinity],
  ])
  for (let round = 0; round < 15; round++)
    for (const [file, best] of fastest) {
      const startedAt = performance.now()
      assert.equal(spawnSync(process.execPath, [join(folder, file), '--version']).status, 0)
      fastest.set(file, Math.min(best, performance.now() - startedAt))
    }
  const [main = 0, empty = 0] = fastest.values()
  assert.ok(main <= 2 * empty, `${main.toFixed(1)} ms against ${empty.toFixed(1)} ms`)
})
