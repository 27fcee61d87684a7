import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import { readEndpoint } from './endpoint.ts'
import { type Environment, redisFromEnvironment } from './environment.ts'

const NOTHING = {
  redis: undefined,
  memoryMode: false,
  readDeadlineMs: undefined,
  writeDeadlineMs: undefined,
  notices: [],
}

test('redisFromEnvironment() finds nothing where nothing is set', () => {
  assert.deepEqual(redisFromEnvironment({ PATH: '/bin' }), NOTHING)
})

test('redisFromEnvironment() counts empty variables as unset', () => {
  const empty = { REDIS_URL: '', REDIS_HOST: ' ', REDIS_PASSWORD: '', USE_MEMORY_MODE: '', EVENKEEL_READ_DEADLINE: '' }
  assert.deepEqual(redisFromEnvironment(empty), NOTHING)
})

test('redisFromEnvironment() reads a URL', () => {
  assert.deepEqual(redisFromEnvironment({ REDIS_URL: 'redis://h' }), { ...NOTHING, redis: { url: 'redis://h' } })
})

test('redisFromEnvironment() reads the separate variables of one server', () => {
  const environment = {
    REDIS_HOST: 'redis',
    REDIS_PORT: '6380',
    REDIS_USERNAME: '',
    REDIS_PASSWORD: 'secret',
    REDIS_USE_SSL: 'false',
    REDIS_DB: '2',
  }
  assert.deepEqual(redisFromEnvironment(environment), {
    ...NOTHING,
    redis: { host: 'redis', port: 6380, password: 'secret', database: 2, tls: false },
  })
})

test('redisFromEnvironment() takes blanks off a value, but not off a password', () => {
  const { redis } = redisFromEnvironment({ REDIS_HOST: ' h ', REDIS_PASSWORD: ' p ' })
  assert.deepEqual(redis, { host: 'h', password: ' p ' })
})

test('redisFromEnvironment() reads sentinels, with credentials of their own', () => {
  const environment = {
    REDIS_SENTINELS: 's1, s2:26380,',
    REDIS_SENTINEL_SERVICE_NAME: 'mymaster',
    REDIS_SENTINEL_PASSWORD: 'sp',
    REDIS_USERNAME: 'u',
    REDIS_PASSWORD: 'p',
  }
  const { redis, notices } = redisFromEnvironment(environment)
  assert.deepEqual(redis, {
    sentinel: {
      nodes: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      master: 'mymaster',
      password: 'sp',
    },
    username: 'u',
    password: 'p',
  })
  assert.deepEqual(notices, [])
})

test('redisFromEnvironment() reads cluster nodes', () => {
  const { redis } = redisFromEnvironment({ REDIS_CLUSTER_NODES: 'a:7000,b:7001', REDIS_USE_SSL: 'yes' })
  assert.deepEqual(redis, {
    cluster: {
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
    },
    tls: true,
  })
})

test('redisFromEnvironment() gives what readEndpoint() takes', () => {
  const environments: Environment[] = [
    { REDIS_URL: 'rediss://:p@h/1' },
    { REDIS_HOST: 'h', REDIS_DB: '1' },
    { REDIS_SENTINELS: 's', REDIS_SENTINEL_SERVICE_NAME: 'm' },
    { REDIS_CLUSTER_NODES: 'n' },
  ]
  const topologies = environments.map(
    (environment) => readEndpoint(redisFromEnvironment(environment).redis ?? {}).topology,
  )
  assert.deepEqual(topologies, ['single', 'single', 'sentinel', 'cluster'])
})

test('redisFromEnvironment() lets the URL win and says which variables are not used', () => {
  const environment = { REDIS_URL: 'redis://h', REDIS_HOST: 'i', REDIS_PASSWORD: 'p', REDIS_SENTINELS: 's' }
  const { redis, notices } = redisFromEnvironment(environment)
  assert.deepEqual(redis, { url: 'redis://h' })
  assert.deepEqual(notices, ['REDIS_SENTINELS, REDIS_PASSWORD, REDIS_HOST not used, because REDIS_URL is set.'])
})

test('redisFromEnvironment() says that a password alone names no Redis', () => {
  const { redis, notices } = redisFromEnvironment({ REDIS_PASSWORD: 'p' })
  assert.equal(redis, undefined)
  assert.deepEqual(notices, ['REDIS_PASSWORD not used, because neither REDIS_URL nor REDIS_HOST is set.'])
})

test('redisFromEnvironment() leaves the service link of Kubernetes aside', () => {
  const { redis, notices } = redisFromEnvironment({ REDIS_HOST: 'redis', REDIS_PORT: 'tcp://10.0.0.1:6379' })
  assert.deepEqual(redis, { host: 'redis' })
  assert.match(notices.join(), /REDIS_PORT not used.*Kubernetes/)
})

test('redisFromEnvironment() reads the memory switch beside a named Redis', () => {
  const { redis, memoryMode } = redisFromEnvironment({ USE_MEMORY_MODE: 'true', REDIS_URL: 'redis://h' })
  assert.deepEqual([redis, memoryMode], [{ url: 'redis://h' }, true])
})

test('redisFromEnvironment() reads deadlines with their unit', () => {
  const environment = { EVENKEEL_READ_DEADLINE: '100ms', EVENKEEL_WRITE_DEADLINE: '1s' }
  assert.deepEqual(redisFromEnvironment(environment), { ...NOTHING, readDeadlineMs: 100, writeDeadlineMs: 1000 })
})

const REFUSED: readonly [Environment, string][] = [
  [{ REDIS_URL: 'h:6379' }, 'REDIS_URL'],
  [{ REDIS_URL: 'redis://:secret@h:x' }, 'REDIS_URL'],
  [{ REDIS_HOST: 'redis://:secret@h' }, 'REDIS_HOST'],
  [{ REDIS_HOST: 'h', REDIS_PORT: '6379x' }, 'REDIS_PORT'],
  [{ REDIS_HOST: 'h', REDIS_PORT: '0' }, 'REDIS_PORT'],
  [{ REDIS_HOST: 'h', REDIS_DB: 'cache' }, 'REDIS_DB'],
  [{ REDIS_HOST: 'h', REDIS_USE_SSL: 'perhaps' }, 'REDIS_USE_SSL'],
  [{ REDIS_HOST: 'h', REDIS_USERNAME: 'secret' }, 'REDIS_PASSWORD'],
  [{ REDIS_SENTINELS: 's' }, 'REDIS_SENTINEL_SERVICE_NAME'],
  [{ REDIS_SENTINELS: 's:secret', REDIS_SENTINEL_SERVICE_NAME: 'm' }, 'REDIS_SENTINELS'],
  [{ REDIS_CLUSTER_NODES: 'redis://n' }, 'REDIS_CLUSTER_NODES'],
  [{ USE_MEMORY_MODE: 'maybe' }, 'USE_MEMORY_MODE'],
  [{ EVENKEEL_READ_DEADLINE: '0' }, 'EVENKEEL_READ_DEADLINE'],
  [{ EVENKEEL_WRITE_DEADLINE: '5 parsecs' }, 'EVENKEEL_WRITE_DEADLINE'],
]

for (const [environment, variable] of REFUSED) {
  test(`redisFromEnvironment() refuses ${JSON.stringify(environment)} by naming ${variable}`, () => {
    assert.throws(
      () => redisFromEnvironment(environment),
      (error) => error instanceof OptionError && error.option === variable && !`${error.stack}`.includes('secret'),
    )
  })
}
