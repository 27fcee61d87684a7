/** `doctor --log` and `doctor --bundle`: logs of real servers and of applications as people have them, and an archive without secrets. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { root } from '../../scripts/project.ts'
import type { LogSummary } from '../../src/operate/index.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { snapshotFails } from '../support/redis-states.ts'
import { evenkeel, type DoctorOutput } from './command-line.ts'

/** What a container of an application printed while Redis was away, and while it was full. */
const APPLICATION = `2026-11-20T08:00:00.100Z [ioredis] Unhandled error event: Error: connect ECONNREFUSED 172.30.0.1:6379
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16) {
  errno: -111,
  code: 'ECONNREFUSED',
  address: '172.30.0.1',
}
2026-11-20T08:00:02.100Z [ioredis] Unhandled error event: Error: connect ECONNREFUSED 172.30.0.1:6379
2026-11-20T08:00:09.000Z MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest" option for details.
2026-11-20T09:00:00.000Z ReplyError: OOM command not allowed when used memory > 'maxmemory'.
[2026-11-20 09:00:01,000: ERROR/MainProcess] consumer: Cannot connect to redis://:l0g-secret@redis:6379/1: Timeout reading from redis:6379. Trying again in 2.00 seconds...
2026-11-20 09:00:02 psycopg.OperationalError: connection failed: Operation timed out
2026-11-20 09:00:03 GET /orders 200
`

describe('doctor --log', () => {
  let directory: string
  before(() => void (directory = scratchDirectory('logs')))
  after(() => removeScratch(directory))

  async function read(...args: string[]): Promise<{ code: number | null; logs: readonly LogSummary[] }> {
    const { code, stdout } = await evenkeel(['doctor', ...args, '--json'])
    return { code, logs: (JSON.parse(stdout) as { logs: LogSummary[] }).logs }
  }

  test('an application: what happened, how often, when, where, and what to do', async () => {
    const path = join(directory, 'app.log')
    writeFileSync(path, APPLICATION)
    const { code, logs } = await read('--log', path)
    assert.equal(code, 1)
    const [log] = logs
    const codes = log?.sightings.map(({ service, code: sign, count }) => `${service} ${sign} ${count}`).toSorted()
    assert.deepEqual(codes, [
      'postgres connect-timeout 1',
      'redis no-answer 1',
      'redis out-of-memory 1',
      'redis refused 2',
      'redis retries-used-up 1',
    ])
    const refused = log?.sightings.find(({ code: sign }) => sign === 'refused')
    assert.deepEqual(
      [refused?.firstAt, refused?.lastAt, refused?.places],
      ['2026-11-20T08:00:00.100Z', '2026-11-20T08:00:02.100Z', ['172.30.0.1:6379']],
    )
    assert.ok(refused?.checks.includes('host.bind-missing'))
    const { stdout: note } = await evenkeel(['doctor', '--log', path])
    assert.match(note, /gateway of a Docker network.*\[refused\]/s)
    assert.match(note, /\$ evenkeel doctor host\.bind-missing/)
    assert.doesNotMatch(note, /l0g-secret/)
  })

  test('standard input, several logs, and one that is not there', async () => {
    const child = spawn(
      process.execPath,
      ['--conditions=evenkeel-source', `${root}/src/cli/main.ts`, 'doctor', '--log', '-', '--json'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    child.stdin.end(APPLICATION)
    const { logs } = JSON.parse(await text(child.stdout)) as { logs: LogSummary[] }
    assert.deepEqual([logs[0]?.source, logs[0]?.sightings.length], ['standard input', 5])
    const quiet = join(directory, 'quiet.log')
    writeFileSync(quiet, '2026-11-20 09:00:03 GET /orders 200\n')
    const both = await read('--log', quiet, '--log', quiet)
    assert.deepEqual([both.code, both.logs.length, both.logs[0]?.sightings], [0, 2, []])
    const missing = await evenkeel(['doctor', '--log', join(directory, 'none.log')])
    assert.equal(missing.code, 2)
    assert.match(missing.stderr, /--log.*none\.log/)
  })

  test('a real server that cannot save says so in its log', async () => {
    await using server = await RedisServer.start()
    await using _ = await snapshotFails(server)
    const path = join(directory, 'redis.log')
    writeFileSync(path, server.log())
    const { code, logs } = await read('--log', path)
    assert.equal(code, 1)
    const codes = logs[0]?.sightings.map((sighting) => sighting.code) ?? []
    assert.ok(codes.includes('host.data-directory') && codes.includes('persistence.snapshot'), codes.join())
  })
})

/** Out of a widely used compose file, with the application's variables beside it. */
const COMPOSE = `services:
  redis:
    image: redis:6-alpine
    restart: always
    ports: ["6379:6379"]
    command: redis-server --requirepass \${REDIS_PASSWORD:-difyai123456} --maxmemory 256mb --maxmemory-policy allkeys-lru
    healthcheck: { test: ["CMD", "redis-cli", "ping"] }
  api:
    image: api
    environment: { REDIS_HOST: localhost }
`

test('doctor --compose judges the files of the application, whatever becomes of Redis', async () => {
  const directory = scratchDirectory('compose')
  try {
    const [compose, variables] = [join(directory, 'compose.yaml'), join(directory, '.env')]
    writeFileSync(compose, COMPOSE)
    writeFileSync(
      variables,
      'REDIS_URL=redis://:difyai123456@127.0.0.1:1\nCELERY_BROKER_URL=redis://:difyai123456@redis:6379/1\n',
    )
    chmodSync(variables, 0o644)
    const { code, stdout } = await evenkeel([
      'doctor',
      '--only',
      'application',
      '--compose',
      compose,
      '--env-file',
      variables,
      '--timeout',
      '3s',
      '--json',
      'redis://127.0.0.1:1',
    ])
    const { endpoints } = JSON.parse(stdout) as DoctorOutput
    const found = endpoints[0]?.findings
      .filter(({ state }) => ['fail', 'warn'].includes(state))
      .map(({ state, check }) => `${state} ${check}`)
    assert.equal(code, 1)
    assert.deepEqual(found?.toSorted(), [
      'fail application.localhost',
      'fail application.policy-role',
      'fail application.published-secret',
      'warn application.env-readable',
      'warn application.health-check',
      'warn application.published-port',
      'warn application.secret-in-compose',
    ])
    assert.doesNotMatch(stdout, /difyai/)
  } finally {
    removeScratch(directory)
  }
})

describe('doctor --bundle', () => {
  const HASH = /[0-9a-f]{64}/
  const secrets = {
    password: 'bundle-pass-1',
    masterauth: 'bundle-master-2',
    user: 'bundle-user-3',
    env: 'bundle-env-4',
    log: 'bundle-log-5',
    compose: 'bundle-compose-6',
  }
  let directory: string
  let server: RedisServer

  before(async () => {
    directory = scratchDirectory('bundle')
    mkdirSync(join(directory, 'app'))
    const log = join(directory, 'redis.log')
    writeFileSync(log, `1:M 20 Nov 2026 12:00:00.000 # MISCONF redis://app:${secrets.log}@h:1 ${secrets.masterauth}\n`)
    const conf = join(directory, 'redis.conf')
    writeFileSync(
      conf,
      `requirepass ${secrets.password}\nmasterauth ${secrets.masterauth}\nuser app on >${secrets.user} ~* +@all\nlogfile ${log}\n`,
    )
    writeFileSync(join(directory, 'app', '.env'), `REDIS_HOST=redis\nREDIS_PASSWORD=${secrets.env}\n`)
    writeFileSync(
      join(directory, 'app', 'compose.yaml'),
      `services: { redis: { image: "redis:7", command: "redis-server --requirepass ${secrets.compose}" } }\n`,
    )
    server = await RedisServer.start({ configFile: conf, waitUntilReady: false })
  })

  after(async () => {
    await server.stop()
    removeScratch(directory)
  })

  test('it holds the report, the server and the machine, for its owner alone, and no secret at all', async () => {
    const path = join(directory, 'support.tar.gz')
    const args = [
      'doctor',
      '--bundle',
      path,
      '--config',
      join(directory, 'redis.conf'),
      '--compose',
      join(directory, 'app', 'compose.yaml'),
      '--timeout',
      '8s',
      '--json',
    ]
    const env = { REDIS_URL: server.url.replace('//', `//:${secrets.password}@`) }
    const { stderr, stdout } = await evenkeel(args, { env })
    assert.match(stderr, /Wrote .*support\.tar\.gz/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const tar = gunzipSync(readFileSync(path))
    for (const [place, secret] of Object.entries(secrets)) {
      assert.ok(!tar.includes(secret), `the archive has the secret of ${place}`)
      assert.ok(!stdout.includes(secret), `the report has the secret of ${place}`)
    }
    assert.doesNotMatch(tar.toString('latin1'), HASH)
    const entries = new Map(
      (await unpackTar(tar)).map(({ header, data }) => [header.name, new TextDecoder().decode(data)]),
    )
    const report = JSON.parse(entries.get('evenkeel-doctor/report.json') ?? 'null') as {
      endpoints: readonly { findings: readonly unknown[] }[]
    }
    assert.ok((report.endpoints[0]?.findings.length ?? 0) > 40)
    assert.match(entries.get('evenkeel-doctor/server/info.txt') ?? '', /^redis_version \d/m)
    assert.match(entries.get('evenkeel-doctor/server/config.txt') ?? '', /^requirepass \*\*\*$/m)
    assert.match(entries.get(`evenkeel-doctor/host${directory}/redis.conf`) ?? '', /^requirepass \*\*\*$/m)
    assert.ok([...entries.keys()].every((name) => name.startsWith('evenkeel-doctor/') && !name.includes('..')))
  })

  test('it is not written over another file, and needs a Redis', async () => {
    const path = join(directory, 'other.tar.gz')
    writeFileSync(path, 'mine')
    const { code, stderr } = await evenkeel([
      'doctor',
      '--bundle',
      path,
      '--only',
      'host',
      'redis://127.0.0.1:1',
      '--timeout',
      '1s',
    ])
    assert.equal(code, 2)
    assert.match(stderr, /--bundle.*other\.tar\.gz/)
    assert.equal(readFileSync(path, 'utf8'), 'mine')
    const tcp = await evenkeel(['doctor', '--bundle', 'tcp://127.0.0.1:1', '--timeout', '1s'])
    assert.match(tcp.stderr, /Expected a Redis/)
  })
})
