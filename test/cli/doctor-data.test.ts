/** `evenkeel doctor` about what the data is for, and with the rights that it asks for and no others. */
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { RawReply } from '../support/raw-client.ts'
import { RedisServer } from '../support/redis-server.ts'
import { restrictedUser, withSettings } from '../support/redis-states.ts'
import { assertCause, diagnosed, printedRules, type Examination } from './command-line.ts'

const SERVER_SIDE = ['--skip', 'host']

const server = await RedisServer.start({ args: ['--bind', '127.0.0.1'] })
after(() => server.stop())

beforeEach(async () => {
  await server.command('FLUSHALL')
  await server.command('CONFIG', 'RESETSTAT')
  await server.command('SLOWLOG', 'RESET')
})

/** Runs a Lua script; `redis.call('SELECT', …)` in it holds for the script alone. */
async function run(script: string): Promise<RawReply> {
  return await server.command('EVAL', script, 0)
}

function stateOf({ findings }: Examination, id: string): string | undefined {
  return findings.find(({ check }) => check === id)?.state
}

const BULL = `
  redis.call('HSET', 'bull:emails:meta', 'opts.maxLenEvents', '10000')
  for i = 1, 30 do redis.call('HSET', 'bull:emails:' .. i, 'name', 'send', 'data', string.rep('x', 200)) end
  for i = 1, 20 do redis.call('LPUSH', 'bull:emails:wait', i) end
`
const CACHE = `for i = 1, 200 do redis.call('SET', 'cache:product:' .. i, 'x', 'EX', 300) end`

test('doctor sees by the names of the keys that a queue would be evicted', async () => {
  await run(BULL + CACHE)
  await using _ = await withSettings(server, {
    maxmemory: '100mb',
    'maxmemory-policy': 'allkeys-lru',
    appendonly: 'yes',
  })
  const cause = { check: 'memory.policy', evidence: /allkeys-lru evicts queue[^]*cache in db0 cache:\*/ }
  await assertCause([...SERVER_SIDE, '--skip', 'application', server.url], cause)
})

test('doctor finds a queue that is one key among many', async () => {
  await run(`${CACHE} for i = 1, 3000 do redis.call('SET', 'cache:page:' .. i, 'x', 'EX', 300) end
    redis.call('LPUSH', 'celery', '{}')`)
  await using _ = await withSettings(server, { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' })
  const { findings } = await diagnosed(['memory.policy', server.url])
  assert.match(findings[0]?.summary ?? '', /evicts queue/)
})

test('doctor --role says what the data is for, and another policy is right then', async () => {
  await run(CACHE)
  await using _ = await withSettings(server, { maxmemory: '100mb', 'maxmemory-policy': 'noeviction', save: '' })
  const only = ['memory.policy', 'persistence.none-for-queue', 'memory.mixed-purposes', server.url]
  const cache = await diagnosed([...only, '--role', 'cache=db0'])
  assert.deepEqual(
    cache.findings.map(({ state }) => state),
    ['warn', 'ok', 'not-applicable'],
  )
  const queue = await diagnosed([...only, '--role', 'tasks=db0'])
  assert.deepEqual(
    queue.findings.map(({ state }) => state),
    ['ok', 'ok', 'fail'],
  )
  const both = await diagnosed([...only, '--role', 'cache=db0,queue=jobs:*'])
  assert.equal(stateOf(both, 'memory.mixed-purposes'), 'info')
})

test('doctor says that evictions have cost tasks', async () => {
  await run(BULL)
  const used = Number(/used_memory:(\d+)/.exec(String(await server.command('INFO', 'memory')))?.[1])
  await using _ = await withSettings(server, {
    maxmemory: String(used + 2_000_000),
    'maxmemory-policy': 'allkeys-random',
  })
  for (let round = 0; round < 20; round++)
    await run(`for i = 1, 200 do redis.call('SET', 'cache:' .. ${round} .. ':' .. i, string.rep('x', 1000)) end`)
  const { findings } = await diagnosed(['memory.evictions', '--role', 'queue=bull:*', server.url])
  assert.deepEqual([findings[0]?.state, /evicted where queue live/.test(findings[0]?.summary ?? '')], ['fail', true])
})

test('doctor names tasks that nobody takes, of BullMQ and of Celery, and sees when a worker waits', async () => {
  await run(`${BULL} redis.call('SELECT', 1) for i = 1, 3 do redis.call('LPUSH', 'celery', '{}') end`)
  const cause = {
    check: 'application.queue-without-workers',
    evidence: /20 tasks wait in emails, 3 tasks wait in celery/,
  }
  await assertCause(['--only', 'application', server.url], cause)
  const [worker, celery] = await Promise.all([server.connect(), server.connect()])
  void worker.command('BZPOPMIN', 'bull:emails:marker', 30).catch(() => 'closed below')
  await celery.command('SELECT', 1)
  void celery.command('BRPOP', 'nothing', 30).catch(() => 'closed below')
  const manned = await diagnosed(['--only', 'application', server.url])
  assert.equal(stateOf(manned, 'application.queue-without-workers'), 'ok', manned.note)
  worker.close()
  celery.close()
})

test('doctor counts what Celery took long ago and what BullMQ keeps for ever', async () => {
  await run(`
    redis.call('ZADD', 'unacked_index', 1000, 'tag-1') redis.call('HSET', 'unacked', 'tag-1', '[]')
    redis.call('HSET', 'bull:emails:meta', 'opts.maxLenEvents', '10000')
    for i = 1, 20000 do redis.call('ZADD', 'bull:emails:completed', i, i) end
    redis.call('ZADD', 'bull:emails:failed', 1, 'a')
  `)
  const examination = await diagnosed(['--only', 'application', server.url])
  assert.equal(stateOf(examination, 'application.celery-overdue'), 'warn')
  assert.equal(stateOf(examination, 'application.bullmq-finished-jobs'), 'warn')
  assert.equal(stateOf(examination, 'application.failed-jobs'), 'info')
})

test('doctor shows the shape of keys and never what may be a secret in their names', async () => {
  await run(`for i = 1, 100 do redis.call('SET', 'sess:hunter2isasecret' .. i, string.rep('x', 200000)) end`)
  const { findings } = await diagnosed(['memory.no-expiry', 'memory.big-keys', server.url], { secrets: ['hunter2'] })
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['warn', 'info'],
  )
  assert.match(findings[0]?.evidence.join() ?? '', /100 × sess:\*/)
})

test('doctor names slow and costly commands without their arguments', async () => {
  await using _ = await withSettings(server, { 'slowlog-log-slower-than': '20000', 'latency-monitor-threshold': '1' })
  await run(`local from = redis.call('TIME') repeat local now = redis.call('TIME')
    until (now[1] - from[1]) * 1000000 + now[2] - from[2] > 150000`)
  await server.command('KEYS', 'hunter2*')
  const { findings } = await diagnosed(['--only', 'traffic', server.url], { secrets: ['hunter2'] })
  const texts = Object.fromEntries(findings.map(({ check, state, summary }) => [check, `${state}: ${summary}`]))
  assert.match(texts['traffic.slow-commands'] ?? '', /^warn: .*EVAL.* took up to/)
  assert.match(texts['traffic.latency-events'] ?? '', /^warn: The server paused for up to \d+ ms: command/)
  assert.match(texts['traffic.costly-commands'] ?? '', /^warn: Used since the start: KEYS\./)
})

/** Of every type one key that is large enough for a second look. */
const LARGE = `
  for i = 1, 3000 do
    redis.call('HSET', 'large:hash', i, 'xxxxxxxx') redis.call('RPUSH', 'large:list', 'xxxxxxxx' .. i)
    redis.call('SADD', 'large:set', 'xxxxxxxx' .. i) redis.call('ZADD', 'large:zset', i, 'xxxxxxxx' .. i)
    redis.call('XADD', 'large:stream', '*', 'field', 'xxxxxxxx')
  end
`
/** Asked of nodes of a cluster, and of replicas. */
const ELSEWHERE = ['cluster|info', 'cluster|nodes', 'cluster|slots', 'role']

test('doctor --acl prints what every check of the server needs, and nothing beside it', async () => {
  const rules = await printedRules()
  await run(BULL + CACHE + LARGE)
  await using _ = await restrictedUser(server, { name: 'evenkeel-doctor', password: 'hunter2-is-secret', rules })
  await server.command('CONFIG', 'RESETSTAT')
  const url = `${server.url.replace('://', '://evenkeel-doctor:hunter2-is-secret@')}/1`
  const { findings, failed, note } = await diagnosed([...SERVER_SIDE, url], { secrets: ['hunter2-is-secret'] })
  assert.equal(failed, null, note)
  assert.deepEqual(
    findings.filter(({ state }) => state === 'not-permitted'),
    [],
    note,
  )
  const info = String(await server.command('INFO', 'everything'))
  assert.doesNotMatch(info, /errorstat_NOPERM/)
  const granted = rules.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1))
  const unused = granted.filter((command) => !info.includes(`cmdstat_${command}:`) && !ELSEWHERE.includes(command))
  assert.deepEqual(unused, [], 'a right that nobody uses is too many')
})

test('doctor says not permitted, and never ok, where a right of its user is taken away', async () => {
  const rules = await printedRules()
  await server.command('SET', 'a', 'key')
  const without = rules.filter((rule) => !/^\+(config|acl|slowlog|scan|latency|memory)/.test(rule))
  await using _ = await restrictedUser(server, { name: 'evenkeel-doctor', password: 'secret-1', rules: without })
  const url = server.url.replace('://', '://evenkeel-doctor:secret-1@')
  const { findings } = await diagnosed([...SERVER_SIDE, url])
  const denied = findings.filter(({ state }) => state === 'not-permitted').map(({ check }) => check)
  for (const id of [
    'security.password',
    'memory.big-keys',
    'memory.parts',
    'traffic.slow-commands',
    'traffic.latency-events',
  ])
    assert.ok(denied.includes(id), `${id}: ${denied.join(', ')}`)
})
