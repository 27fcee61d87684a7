import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { register } from 'prom-client'
import type { LinkStats } from '../link/index.ts'
import { reportedCache } from '../../test/support/reported-cache.ts'
import { createMetrics, type MetricsSources } from './metrics.ts'

const reason = { code: 'connected', text: 'Answers.', nextStep: 'Nothing.' }
const stats: LinkStats = {
  sent: 267,
  answered: 250,
  errorReplies: 3,
  deadlines: 9,
  lateReplies: 4,
  lost: 8,
  refused: 1200,
  fenced: 2,
  connectionsOpened: 65,
  attempts: 70,
  gaps: 5,
  inFlight: 6,
}

function sources(overrides: Partial<MetricsSources> = {}): MetricsSources {
  const can = { read: true, write: true, publish: true }
  return {
    link: { name: 'redis', health: { state: 'up', since: 0, reason, can }, stats },
    database: {
      name: 'database',
      engine: 'sqlite',
      health: { state: 'up', since: 0, reason, can: { read: true, write: true } },
    },
    keys: () => 13,
    incidents: (subject) => ({ incidents: 2, awaySeconds: 4.5, open: subject === 'redis' }),
    ...overrides,
  }
}

/** The samples of a scrape, `name{labels}` → value. */
async function scrape(from: MetricsSources): Promise<Map<string, string>> {
  const text = await createMetrics(from).text()
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]))
}

test("a scrape has the field document's names", async () => {
  const samples = await scrape(
    sources({ caches: () => [reportedCache({ hits: 3, misses: 4, sets: 8, deletes: 1, size: 7 })] }),
  )
  assert.equal(samples.get('cache_l1_hits_total'), '3')
  assert.equal(samples.get('cache_l1_misses_total'), '4')
  assert.equal(samples.get('cache_l2_redis_commands_total'), '267')
  assert.equal(samples.get('cache_l2_redis_keys'), '13')
})

test('a scrape counts the calls of the link by outcome', async () => {
  const samples = await scrape(sources())
  const outcome = (name: string): string | undefined =>
    samples.get(`evenkeel_link_calls_total{link="redis",outcome="${name}"}`)
  assert.deepEqual(['answered', 'deadline', 'lost', 'refused'].map(outcome), ['250', '9', '8', '1200'])
  assert.equal(samples.get('evenkeel_link_calls_sent_total{link="redis"}'), '267')
  assert.equal(samples.get('evenkeel_link_late_replies_total{link="redis"}'), '4')
  assert.equal(samples.get('evenkeel_link_fenced_total{link="redis"}'), '2')
  assert.equal(samples.get('evenkeel_link_connections_total{link="redis"}'), '65')
  assert.equal(samples.get('evenkeel_link_attempts_total{link="redis"}'), '70')
  assert.equal(samples.get('evenkeel_link_gaps_total{link="redis"}'), '5')
  assert.equal(samples.get('evenkeel_link_calls_in_flight{link="redis"}'), '6')
})

test('a scrape shows one state of each as 1 and every other as 0', async () => {
  const samples = await scrape(sources())
  const states = [...samples].filter(([name]) => name.startsWith('evenkeel_link_state{'))
  assert.equal(states.length, 11)
  assert.deepEqual(
    states.filter(([, value]) => value === '1').map(([name]) => name),
    ['evenkeel_link_state{link="redis",state="up"}'],
  )
  assert.equal(samples.get('evenkeel_database_state{database="database",engine="sqlite",state="up"}'), '1')
  assert.equal(samples.get('evenkeel_database_state{database="database",engine="sqlite",state="down"}'), '0')
})

test('a scrape shows incidents and the time away', async () => {
  const samples = await scrape(sources())
  assert.equal(samples.get('evenkeel_incidents_total{subject="redis"}'), '2')
  assert.equal(samples.get('evenkeel_outage_seconds_total{subject="database"}'), '4.5')
  assert.equal(samples.get('evenkeel_incident_open{subject="redis"}'), '1')
  assert.equal(samples.get('evenkeel_incident_open{subject="database"}'), '0')
})

test('a number of keys that nobody knows has no sample', async () => {
  const text = await createMetrics(sources({ keys: () => undefined })).text()
  assert.match(text, /# TYPE cache_l2_redis_keys gauge\n(?!cache_l2_redis_keys)/)
})

test('each scrape reads anew and adds nothing up', async () => {
  let sent = 1
  const from = sources()
  const metrics = createMetrics({
    ...from,
    link: {
      ...from.link,
      get stats() {
        return { ...stats, sent }
      },
    },
  })
  await metrics.text()
  sent = 5
  assert.match(await metrics.text(), /^cache_l2_redis_commands_total 5$/m)
})

test('the global registry of prom-client stays as the application has it', async () => {
  await createMetrics(sources()).text()
  await createMetrics(sources()).text()
  assert.deepEqual(register.getMetricsAsArray(), [])
})

test('who has no prom-client is told to install it', async () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'prom-client') throw new Error('Cannot find package')
      return next(specifier, context)
    },
  })
  const copy: string = './metrics.ts?without-peer'
  const { createMetrics: withoutPeer } = (await import(copy)) as { createMetrics: typeof createMetrics }
  const metrics = withoutPeer(sources())
  try {
    await assert.rejects(metrics.text(), { code: 'PEER_MISSING', nextStep: /npm install prom-client/ })
  } finally {
    hooks.deregister()
  }
})

test('a scrape has the caches by namespace and tier, and no more series than can be borne', async () => {
  const l1 = { hits: 3, misses: 4, sets: 8, deletes: 1, size: 7 }
  const caches = Array.from({ length: 60 }, (_, n) => reportedCache(l1, n === 1 ? 'other' : `n${n}`))
  const samples = await scrape(sources({ caches: () => caches }))
  assert.equal(samples.get('evenkeel_cache_hits_total{namespace="n0",tier="l1"}'), '3')
  assert.equal(samples.get('evenkeel_cache_hits_total{namespace="n0",tier="l2"}'), '0')
  assert.equal(samples.get('evenkeel_cache_hits_total{namespace="(other)",tier="l1"}'), '30')
  assert.equal(samples.get('evenkeel_cache_hits_total{namespace="other",tier="l1"}'), '3', 'a namespace of that name')
  assert.equal(samples.get('evenkeel_cache_state{namespace="n0",state="up"}'), '1')
  assert.equal(samples.get('evenkeel_cache_entries{namespace="n49"}'), '7')
  assert.equal(samples.get('evenkeel_cache_entries{namespace="n50"}'), undefined)
})
