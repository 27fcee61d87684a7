/** What compose files and `.env` tell: judged on texts as people write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCompose, type ComposeService } from '../../../host/compose.ts'
import { bindAddresses } from '../../../host/redis-conf.ts'
import type { Outcome } from '../../check.ts'
import type { EnvFile } from '../../evidence/host-values.ts'
import { containerMemory } from './container-memory.ts'
import { envReadable } from './env-readable.ts'
import { healthCheck } from './health-check.ts'
import { hostGateway } from './host-gateway.ts'
import { imageVersion } from './image-version.ts'
import { localhost } from './localhost.ts'
import { masterauth } from './masterauth.ts'
import { plainPublic } from './plain-public.ts'
import { policyRole } from './policy-role.ts'
import { publishedPort } from './published-port.ts'
import { publishedSecret } from './published-secret.ts'
import { restart } from './restart.ts'
import { secretInCompose } from './secret-in-compose.ts'
import { sentinelCount } from './sentinel-count.ts'
import { sentinelFile } from './sentinel-file.ts'
import { sharedInstance } from './shared-instance.ts'
import { volume } from './volume.ts'

const redisApplication = ['compose.yaml']

async function services(yaml: string, variables = {}): Promise<readonly ComposeService[]> {
  const parsed = await parseCompose(`services:\n${yaml}`, 'compose.yaml', variables)
  assert.ok(parsed.kind === 'known', JSON.stringify(parsed))
  return parsed.value
}

function env(variables: Readonly<Record<string, string>>, mode = 0o600): readonly EnvFile[] {
  return [{ path: '.env', variables, mode }]
}

function states(outcomes: readonly Outcome[]): string {
  for (const { state, fix, evidence } of outcomes)
    if (state === 'fail' || state === 'warn') assert.ok(fix !== undefined && fix.text !== '' && evidence.length > 0)
  return outcomes.map(({ state }) => state).join(' ')
}

type ComposeCheck = { judge(evidence: { composeServices: readonly ComposeService[] }): readonly Outcome[] }

/** One line of YAML per service, and the state that the check finds. */
async function judged(check: ComposeCheck, cases: readonly (readonly [string, string])[]): Promise<void> {
  for (const [yaml, expected] of cases) {
    const found = states(check.judge({ composeServices: await services(yaml) }))
    assert.equal(found, expected, yaml)
  }
}

/** The compose file of the field document on Dify, and that of the one on development. */
const DIFY = `
  redis:
    image: redis:6-alpine
    restart: always
    environment: { REDISCLI_AUTH: "\${REDIS_PASSWORD:-difyai123456}" }
    volumes: ["./volumes/redis/data:/data"]
    command: redis-server --requirepass \${REDIS_PASSWORD:-difyai123456}
    healthcheck: { test: ["CMD", "redis-cli", "ping"], interval: 1s }
`
const DEVELOPMENT = `
  redis:
    image: redis:7-alpine
    ports: ["6379:6379"]
    command: redis-server --appendonly yes --maxmemory 256mb --maxmemory-policy allkeys-lru
    volumes: ["redis_data:/data"]
    healthcheck: { test: ["CMD", "redis-cli", "ping"] }
`
const SENTINEL = `
  redis-master: { image: redis:6-alpine, command: redis-server --requirepass x }
  redis-replica: { image: redis:6-alpine, command: redis-server --slaveof redis-master 6379 --requirepass x --masterauth x }
  redis-sentinel:
    image: redis:6-alpine
    command: redis-sentinel /usr/local/etc/redis/sentinel.conf
    volumes: ["./sentinel.conf:/usr/local/etc/redis/sentinel.conf"]
`

test('application.published-port', async () => {
  await judged(publishedPort, [
    [DEVELOPMENT, 'fail'],
    [DIFY, 'ok'],
    ['  r: { image: redis, ports: ["127.0.0.1:6379:6379"] }', 'ok'],
    ['  r: { image: redis, ports: ["0.0.0.0:7000:6379"], command: redis-server --requirepass x }', 'warn'],
    ['  web: { image: nginx, ports: ["80:80"] }', 'not-applicable'],
  ])
})

test('application.health-check', async () => {
  await judged(healthCheck, [
    [DIFY, 'warn'],
    ['  r: { image: redis }', 'info'],
    ['  r: { image: redis, healthcheck: { test: "redis-cli ping | grep -qx PONG" } }', 'ok'],
    ['  r: { image: redis, healthcheck: { test: ["CMD", "redis-cli", "-e", "ping"] } }', 'ok'],
    ['  r: { image: redis, healthcheck: { test: ["CMD", "evenkeel", "check", "--quiet"] } }', 'ok'],
    ['  web: { image: nginx }', 'not-applicable'],
  ])
})

test('application.container-memory', async () => {
  await judged(containerMemory, [
    [DIFY, 'warn'],
    [DEVELOPMENT, 'ok'],
    ['  r: { image: redis, mem_limit: 512m }', 'fail'],
    ['  r: { image: redis, mem_limit: 512m, command: redis-server --maxmemory 512mb }', 'fail'],
    ['  r: { image: redis, mem_limit: 512m, command: redis-server --maxmemory 500mb }', 'warn'],
    ['  r: { image: redis, mem_limit: 512m, command: redis-server --maxmemory 384mb }', 'ok'],
    ['  r: { image: redis, mem_limit: 512m, command: redis-server /etc/redis.conf }', 'not-applicable'],
  ])
})

test('application.policy-role knows a queue by its variable', async () => {
  const judge = async (yaml: string, variables: Readonly<Record<string, string>>): Promise<string> =>
    states(policyRole.judge({ composeServices: await services(yaml), envFiles: env(variables) }))
  const queue = { CELERY_BROKER_URL: 'redis://redis:6379/1' }
  const policy = (name: string): string => `  redis: { image: redis, command: redis-server --maxmemory-policy ${name} }`
  assert.deepEqual(
    [
      await judge(policy('allkeys-lru'), queue),
      await judge(policy('volatile-lru'), queue),
      await judge(policy('noeviction'), queue),
      await judge(policy('allkeys-lru'), { REDIS_URL: 'redis://redis' }),
      await judge(DEVELOPMENT, { CELERY_BROKER_URL: 'redis://localhost:6379/1' }),
      await judge(DIFY, queue),
    ],
    ['fail', 'warn', 'ok', 'info', 'fail', 'not-applicable'],
  )
})

test('application.volume, application.restart and application.image-version', async () => {
  await judged(volume, [
    [DEVELOPMENT, 'ok'],
    ['  r: { image: redis, command: redis-server --appendonly yes }', 'warn'],
    ['  r: { image: redis, volumes: [/data] }', 'info'],
  ])
  await judged(restart, [
    [DIFY, 'ok'],
    [DEVELOPMENT, 'warn'],
    ['  r: { image: redis, restart: "no" }', 'warn'],
  ])
  await judged(imageVersion, [
    ['  r: { image: redis }', 'warn'],
    ['  r: { image: "redis:latest" }', 'warn'],
    ['  r: { image: "redis:alpine" }', 'warn'],
    ['  r: { image: "redis:5" }', 'warn'],
    ['  r: { image: "redis:6.0" }', 'warn'],
    ['  r: { image: "redis:7.4.1-alpine" }', 'warn'],
    ['  r: { image: "redis:7.4.6" }', 'ok'],
    ['  r: { image: "redis:8.2-alpine" }', 'ok'],
    ['  r: { image: "registry.example:5000/redis:7" }', 'ok'],
    ['  r: { image: "valkey/valkey:8" }', 'not-applicable'],
  ])
})

test('application.sentinel-file, application.sentinel-count and application.masterauth', async () => {
  await judged(sentinelFile, [
    [SENTINEL, 'fail'],
    ['  s: { image: redis, command: redis-sentinel /state/sentinel.conf, volumes: ["s1:/state"] }', 'ok'],
    [DIFY, 'not-applicable'],
  ])
  const three = [1, 2, 3].map((n) => `  s${n}: { image: redis, command: redis-sentinel /state/s.conf }`).join('\n')
  await judged(sentinelCount, [
    [SENTINEL, 'fail'],
    [three, 'warn'],
    [DIFY, 'not-applicable'],
  ])
  const [outcome] = masterauth.judge({ composeServices: await services(SENTINEL) })
  assert.equal(outcome?.state, 'fail')
  assert.match(outcome.summary, /redis-master/)
  await judged(masterauth, [
    [SENTINEL.replace('--requirepass x }', '--requirepass x --masterauth x }'), 'ok'],
    [DIFY, 'not-applicable'],
  ])
})

test('application.localhost', async () => {
  await judged(localhost, [
    ['  app: { image: app, environment: { REDIS_HOST: localhost } }', 'fail'],
    ['  app: { image: app, environment: ["REDIS_URL=redis://127.0.0.1:6379/0"] }', 'fail'],
    ['  app: { image: app, network_mode: host, environment: { REDIS_HOST: localhost } }', 'ok'],
    ['  app: { image: app, environment: { REDIS_HOST: redis } }', 'ok'],
    [DIFY, 'not-applicable'],
  ])
})

test('application.host-gateway tells that the name is docker0, which bind does not contain', async () => {
  const redisHere = { by: 'address', detail: 'made up' } as const
  const envFiles = env({ MEDUSA_REDIS_URL: 'redis://host.docker.internal:6379/0' })
  const wantedBind = {
    addresses: bindAddresses(['127.0.0.1 172.30.0.1 ::1']),
    port: 6379,
    tlsPort: 0,
    from: 'redis.conf:1',
  }
  const app = '  app: { image: app, env_file: .env, extra_hosts: ["host.docker.internal:host-gateway"] }'
  const judge = async (yaml: string, more = {}): Promise<readonly Outcome[]> =>
    hostGateway.judge({ redisApplication, composeServices: await services(yaml), envFiles, ...more })
  assert.equal(states(await judge(app)), 'ok')
  const [outcome] = await judge(app, { redisHere, wantedBind })
  assert.equal(outcome?.state, 'fail')
  assert.match(outcome.summary, /172\.17\.0\.1/)
  assert.equal(states(await judge(app.replace('host-gateway', '172.30.0.1'), { redisHere, wantedBind })), 'ok')
  assert.equal(states(await judge('  app: { image: app, env_file: .env }')), 'warn')
  const bridge = { name: 'bridge', driver: 'bridge', gateways: ['172.30.0.1'], subnets: [] }
  assert.equal(states(await judge(app, { redisHere, wantedBind, dockerNetworks: [bridge] })), 'ok')
  assert.equal(
    states(hostGateway.judge({ redisApplication, envFiles: env({ REDIS_URL: 'redis://redis' }) })),
    'not-applicable',
  )
})

test('application.shared-instance and application.plain-public', () => {
  const shared = (variables: Readonly<Record<string, string>>): string =>
    states(sharedInstance.judge({ redisApplication, envFiles: env(variables) }))
  assert.deepEqual(
    [
      shared({ REDIS_HOST: 'redis', CELERY_BROKER_URL: 'redis://redis:6379/1' }),
      shared({ REDIS_HOST: 'cache', CELERY_BROKER_URL: 'redis://queue:6379/1' }),
      shared({ CELERY_BROKER_URL: 'redis://queue/0', CELERY_RESULT_BACKEND: 'redis://queue/1' }),
      shared({ PORT: '80' }),
    ],
    ['warn', 'ok', 'ok', 'not-applicable'],
  )
  const plain = (url: string): string =>
    states(plainPublic.judge({ redisApplication, envFiles: env({ REDIS_URL: url }) }))
  assert.deepEqual(
    [
      'redis://47.111.115.130',
      'rediss://47.111.115.130',
      'redis://10.0.0.1',
      'redis://x.upstash.io',
      'redis://redis',
      'http://x',
    ].map(plain),
    ['warn', 'ok', 'ok', 'warn', 'ok', 'not-applicable'],
  )
})

test('passwords: published ones, in compose files, for everybody to read; none is ever shown', async () => {
  const composeServices = await services(DIFY)
  const published = publishedSecret.judge({
    redisApplication,
    composeServices,
    envFiles: env({ CELERY_BROKER_URL: 'redis://:difyai123456@redis/1', REDIS_PASSWORD: 'k3y-of-our-own' }),
  })
  assert.equal(states(published), 'fail')
  assert.deepEqual(published[0]?.evidence, [
    '.env: CELERY_BROKER_URL',
    'compose.yaml: service redis, REDISCLI_AUTH',
    'compose.yaml: service redis, --requirepass',
  ])
  const own = publishedSecret.judge({ redisApplication, envFiles: env({ REDIS_PASSWORD: 'k3y-of-our-own' }) })
  assert.equal(states(own), 'ok')
  assert.equal(states(publishedSecret.judge({ redisApplication, envFiles: env({}) })), 'not-applicable')
  const inCompose = secretInCompose.judge({ composeServices })
  assert.equal(states(inCompose), 'warn')
  const open = [env({ REDIS_PASSWORD: 'x' }, 0o644), env({ REDIS_PASSWORD: 'x' }), env({ PORT: '1' }, 0o644)].map(
    (envFiles) => envReadable.judge({ envFiles }),
  )
  assert.deepEqual(open.map(states), ['warn', 'ok', 'not-applicable'])
  assert.doesNotMatch(JSON.stringify([published, own, inCompose, open]), /difyai|k3y/)
})

test('application.secret-in-compose lets variables and secret files pass', async () => {
  await judged(secretInCompose, [
    ['  r: { image: redis, command: "redis-server --requirepass $${REDIS_PASSWORD}" }', 'ok'],
    ['  r: { image: redis, command: "redis-server --requirepass ${REDIS_PASSWORD:?set it}" }', 'ok'],
    ['  r: { image: redis, command: "redis-server --requirepass hunter2" }', 'warn'],
    ['  r: { image: redis, command: ["redis-server", "--requirepass", "hunter2"] }', 'warn'],
    ['  app: { environment: { REDIS_URL: "redis://:hunter2@redis" } }', 'warn'],
    ['  app: { environment: { REDIS_URL: "redis://:${REDIS_PASSWORD}@redis" } }', 'ok'],
    ['  app: { environment: { POSTGRES_PASSWORD_FILE: /run/secrets/x, POSTGRES_PASSWORD: "${P}" } }', 'ok'],
    ['  app: { environment: ["API_KEY=k"] }', 'warn'],
  ])
})
