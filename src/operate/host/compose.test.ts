import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  commandSetting,
  interpolated,
  isRedisService,
  isSentinelService,
  parseCompose,
  type ComposeService,
} from './compose.ts'
import { isSecretName, redisUses, secretsIn } from './redis-variables.ts'

async function services(text: string, variables = {}): Promise<readonly ComposeService[]> {
  const parsed = await parseCompose(text, 'compose.yaml', variables)
  assert.ok(parsed.kind === 'known', JSON.stringify(parsed))
  return parsed.value
}

test('interpolated() fills variables in as Compose does', () => {
  const variables = { SET: 'x', EMPTY: '' }
  const cases = [
    ['a$SET-b', 'ax-b'],
    ['${SET:-d} ${EMPTY:-d} ${EMPTY-d} ${GONE-d}', 'x d  d'],
    ['${SET:+yes}${GONE:+yes}', 'yes'],
    ['${GONE:-${SET}}', 'x'],
    ['$$HOME ${GONE}', '$HOME '],
    ['${GONE:?must be set}', ''],
  ]
  for (const [text, expected] of cases) assert.equal(interpolated(text, variables), expected, text)
})

test('parseCompose() reads long and short forms alike', async () => {
  const [short, long] = await services(`
services:
  short: &base
    image: redis:7
    command: redis-server --requirepass \${PW:-difyai123456} --maxmemory 256mb
    ports: ['127.0.0.1:6379:6379', '6380:6379/tcp', 26379]
    volumes: ['data:/data', './r.conf:/etc/r.conf:ro', '/anonymous']
    environment: ['A=b=c', FLAG]
    mem_limit: 512m
    healthcheck: { test: redis-cli ping }
    extra_hosts: ['a:1.2.3.4']
    env_file: .env
  long:
    <<: *base
    command: ['redis-server', '--appendonly', 'yes']
    ports: [{ target: 6379, published: '6379', host_ip: 127.0.0.1 }]
    volumes: [{ type: volume, source: data, target: /data, read_only: true }]
    environment: { A: b }
    deploy: { resources: { limits: { memory: 1G } } }
    healthcheck: { test: ['CMD', 'redis-cli', 'ping'] }
    extra_hosts: { a: 1.2.3.4 }
    env_file: [{ path: .env }]
`)
  assert.ok(short !== undefined && long !== undefined)
  assert.equal(commandSetting(short, 'requirepass'), 'difyai123456')
  assert.deepEqual(
    short.ports.map(({ hostAddress, containerPort }) => [hostAddress, containerPort]),
    [
      ['127.0.0.1', 6379],
      [undefined, 6379],
      [undefined, 26379],
    ],
  )
  assert.deepEqual(
    short.volumes.map(({ source, target, readOnly }) => [source, target, readOnly]),
    [
      ['data', '/data', false],
      ['./r.conf', '/etc/r.conf', true],
      ['', '/anonymous', false],
    ],
  )
  assert.deepEqual(short.environment, { A: 'b=c', FLAG: 'FLAG' })
  assert.deepEqual([short.memoryLimitBytes, long.memoryLimitBytes], [512 * 1024 ** 2, 512 * 1024 ** 2])
  assert.deepEqual(
    [short.healthTest, long.healthTest],
    [
      ['CMD-SHELL', 'redis-cli ping'],
      ['CMD', 'redis-cli', 'ping'],
    ],
  )
  assert.deepEqual(
    [long.ports[0]?.hostAddress, long.volumes[0]?.readOnly, long.extraHosts, long.envFiles],
    ['127.0.0.1', true, ['a:1.2.3.4'], ['.env']],
  )
})

test('parseCompose() says what is wrong with a file that is none', async () => {
  const parsed = await parseCompose('services: [', 'compose.yaml', {})
  assert.ok(parsed.kind === 'failed' && parsed.detail.startsWith('compose.yaml: '))
  assert.deepEqual(await services('just: text'), [])
})

test('Redis and its Sentinels are known by image and command', async () => {
  const all = await services(`
services:
  a: { image: redis:7-alpine }
  b: { image: docker.io/bitnami/redis-sentinel:7 }
  c: { image: own, command: redis-sentinel /x }
  d: { image: redis, command: redis-server /x --sentinel }
  e: { image: redis-commander }
  f: { image: valkey/valkey:8 }
`)
  assert.equal(
    all
      .filter(isRedisService)
      .map(({ name }) => name)
      .join(''),
    'abcdf',
  )
  assert.equal(
    all
      .filter(isSentinelService)
      .map(({ name }) => name)
      .join(''),
    'bcd',
  )
})

test('redisUses() reads URLs and hosts under whatever name', () => {
  const uses = redisUses({
    REDIS_URL: 'redis://:pw@cache:6380/2',
    CELERY_BROKER_URL: 'rediss://:pw@[::1]/1',
    BULL_REDIS_HOST: 'queue',
    BULL_REDIS_PORT: '6390',
    REDIS_HOST: 'cache',
    DATABASE_URL: 'postgres://db',
    OTHER_HOST: 'x',
    BROKEN_URL: 'redis://h:port',
  })
  assert.deepEqual(
    uses.map(({ name, host, port, database, tls, queue }) => [name, host, port, database, tls, queue]),
    [
      ['REDIS_URL', 'cache', 6380, 2, false, false],
      ['CELERY_BROKER_URL', '::1', 6379, 1, true, true],
      ['BULL_REDIS_HOST', 'queue', 6390, 0, false, true],
      ['REDIS_HOST', 'cache', 6379, 0, false, false],
    ],
  )
})

test('secretsIn() finds secrets by name, and in URLs', () => {
  const found = secretsIn({
    REDIS_PASSWORD: 'a',
    REDIS_URL: 'redis://u:p%40ss@h',
    API_KEY: 'k',
    PLAIN: 'x',
    EMPTY_PASSWORD: ' ',
    REDIS_PASSWORD_FILE: '/run/x',
  })
  assert.deepEqual(
    found.map(({ name, secret }) => `${name} ${secret}`),
    ['REDIS_PASSWORD a', 'REDIS_URL p@ss', 'API_KEY k'],
  )
  assert.deepEqual(['POSTGRES_PASSWORD', 'COMPASS', 'JWT_SECRET_KEY', 'MONKEY'].map(isSecretName), [
    true,
    false,
    true,
    false,
  ])
})
