import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EvenkeelError, OptionError } from '../errors.ts'
import type { HealthReport } from './health-report.ts'
import { createProbes, type ProbedKeel, type ProbesOptions } from './probes.ts'

const REASON = { code: 'refused', text: 'Nobody listens on 10.0.0.7:6379.', nextStep: 'Start it.' }

function report(status: HealthReport['status']): HealthReport {
  const state = status === 'unhealthy' ? 'down' : 'up'
  return {
    status,
    cache: {
      l1: { hits: 0, misses: 0, sets: 0, deletes: 0, size: 0, hitRate: 0 },
      l2: { total_commands: 0, total_connections: 0, total_keys: null },
    },
    redis: {
      state: status === 'healthy' ? 'up' : 'down',
      reason: REASON,
      since: '',
      can: { read: true, write: true, publish: true },
      address: '10.0.0.7:6379',
    },
    database: { state, reason: REASON, since: '', can: { read: true, write: true }, engine: 'sqlite' },
    roles: { limits: { status: 'degraded', reason: REASON } as never },
  }
}

function keelThatIs(status: HealthReport['status'], metrics = () => Promise.resolve('a 1')): ProbedKeel {
  return { health: () => report(status), metrics }
}

async function answer(path: string, keel: ProbedKeel, options?: ProbesOptions): Promise<[number, string]> {
  const given = await createProbes(keel, options).answer(path)
  assert.ok(given !== undefined, `nobody answers ${path}`)
  return [given.status, given.body]
}

test('createProbes() answers 200 while requests can be served, and 503 when they cannot', async () => {
  const statuses = async (path: string): Promise<number[]> => {
    const each = (['healthy', 'degraded', 'unhealthy'] as const).map((status) => answer(path, keelThatIs(status)))
    return (await Promise.all(each)).map(([status]) => status)
  }
  assert.deepEqual(await statuses('/livez'), [200, 200, 200])
  assert.deepEqual(await statuses('/readyz'), [200, 200, 503])
  assert.deepEqual(await statuses('/health'), [200, 200, 503])
})

test('createProbes() is not ready while the process stops, and alive all the same', async () => {
  const stopping = { stopping: () => true }
  assert.deepEqual(await answer('/readyz', keelThatIs('healthy'), stopping), [503, '{"status":"stopping"}'])
  assert.equal((await answer('/livez', keelThatIs('healthy'), stopping))[0], 200)
})

test('createProbes() names nothing but states to strangers', async () => {
  for (const path of ['/readyz', '/health']) {
    const [, body] = await answer(path, keelThatIs('unhealthy'), { details: false })
    assert.doesNotMatch(body, /10\.0\.0\.7|Nobody|Start/)
    assert.match(body, /down/)
  }
})

test("createProbes() puts the application's metrics behind its own, and says what is missing", async () => {
  const own = { metrics: () => 'b 2' }
  assert.deepEqual(await answer('/metrics', keelThatIs('healthy'), own), [200, 'a 1\nb 2'])
  const missing = (): Promise<string> => Promise.reject(new EvenkeelError('PEER_MISSING', 'npm install prom-client'))
  assert.deepEqual(await answer('/metrics', keelThatIs('healthy', missing)), [500, 'npm install prom-client\n'])
  const failing = { metrics: () => Promise.reject(new Error('secret')) }
  assert.deepEqual(await answer('/metrics', keelThatIs('healthy'), failing), [
    500,
    'The metrics could not be written.\n',
  ])
})

test('createProbes() goes by the paths it is given', () => {
  const keel = keelThatIs('healthy')
  const probes = createProbes(keel, { paths: { health: '/status', metrics: false } })
  assert.deepEqual(probes.paths, ['/livez', '/readyz', '/status'])
  assert.equal(probes.answer('/health'), undefined)
  assert.equal(probes.answer('/metrics'), undefined)
  for (const paths of [{ health: 'status' }, { health: '/livez' }, { health: '/a?b' }, { helth: '/x' } as never])
    assert.throws(() => createProbes(keel, { paths }), OptionError)
})
