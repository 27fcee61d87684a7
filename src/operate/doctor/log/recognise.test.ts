/** Lines as Redis, systemd, kernels and client libraries write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CATALOGUE } from '../checks/catalogue.ts'
import { CHECKS_OF_FAULTS } from './checks-of-faults.ts'
import { CLIENT_SIGNS } from './client-signs.ts'
import { REDIS_SIGNS } from './redis-signs.ts'
import { recognise } from './recognise.ts'
import { stampOf } from './stamp.ts'
import { LogTally } from './summary.ts'
import { SYSTEM_SIGNS } from './system-signs.ts'

/** Line → service and code. */
const LINES: readonly (readonly [string, string])[] = [
  // Redis
  [
    '# Warning: Could not create server TCP listening socket 172.31.0.1:6379: bind: Cannot assign requested address',
    'redis host.bind-missing',
  ],
  ['# Could not create server TCP listening socket -::1:6379: Name or service not known', 'redis host.bind-missing'],
  [
    '# Warning: Could not create server TCP listening socket *:6379: bind: Address already in use',
    'redis host.port-taken',
  ],
  ['# Failed listening on port 6379 (TCP), aborting.', 'redis not-listening'],
  ['# Failed listening on port 6379 (tcp), aborting.', 'redis not-listening'],
  ["# Can't save in background: fork: Cannot allocate memory", 'redis host.fork-memory'],
  [
    '# Failed opening the temp RDB file temp-7.rdb (in server root dir /var/lib/redis) for saving: Permission denied',
    'redis host.data-directory',
  ],
  [
    '# Failed opening the RDB file dump.rdb (in server root dir /) for saving: No space left on device',
    'redis host.disk-space',
  ],
  ['# Write error saving DB on disk(rdbSaveRio): No space left on device', 'redis host.disk-space'],
  ['# Error writing to the AOF file: No space left on device', 'redis host.disk-space'],
  ['# Background saving error', 'redis persistence.snapshot'],
  [
    '* Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting',
    'redis persistence.append-only-delays',
  ],
  ['# Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup', 'redis data-damaged'],
  ["# Can't handle RDB format version 12", 'redis rdb-version'],
  ['# WARNING overcommit_memory is set to 0! Background save may fail', 'host host.overcommit'],
  ['# WARNING Memory overcommit must be enabled!', 'host host.overcommit'],
  ['# WARNING: The TCP backlog setting of 511 cannot be enforced because', 'host host.somaxconn'],
  ['# Current maximum open files is 1024. maxclients has been reduced to 992 to compensate', 'host host.open-files'],
  ['# MASTER aborted replication with an error: NOAUTH Authentication required.', 'redis replication.master-password'],
  ['# Error condition on socket for SYNC: Connection refused', 'redis replication.link'],
  [
    '# Client id=4 addr=1.2.3.4:5 scheduled to be closed ASAP for overcoming of output buffer limits.',
    'redis memory.client-buffers',
  ],
  [
    '# Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis.',
    'redis http-to-redis',
  ],
  ['# Could not rename tmp config file (Device or resource busy)', 'redis application.sentinel-file'],
  // systemd and the kernel
  ['Nov 20 12:00:00 h systemd[1]: redis-server.service: Start request repeated too quickly.', 'host host.start-limit'],
  [
    "Nov 20 12:00:00 h systemd[1]: redis-server.service: Failed with result 'start-limit-hit'.",
    'host host.start-limit',
  ],
  ["Nov 20 12:00:00 h systemd[1]: redis-server.service: Failed with result 'oom-kill'.", 'host host.oom-kills'],
  ['redis-server.service: Main process exited, code=exited, status=1/FAILURE', 'host host.unit-state'],
  ['kernel: Out of memory: Killed process 7 (redis-server) total-vm:1kB', 'host host.oom-kills'],
  // Node
  ['[ioredis] Unhandled error event: Error: connect ECONNREFUSED 172.30.0.1:6379', 'redis refused'],
  ['Error: connect ECONNREFUSED 127.0.0.1:6379', 'redis refused'],
  ['AggregateError [ECONNREFUSED]: \n', 'unknown refused'],
  ['[ioredis] Unhandled error event: AggregateError', 'redis aggregate-error'],
  ['Redis Client Error AggregateError', 'redis aggregate-error'],
  [
    'MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest"',
    'redis retries-used-up',
  ],
  ['BullMQ: IMPORTANT! Eviction policy is allkeys-lru. It should be "noeviction"', 'redis queue-evicts'],
  ['Error: BullMQ: Your redis options maxRetriesPerRequest must be null.', 'redis queue-options'],
  ['Error: job stalled more than allowable limit', 'redis job-stalled'],
  ['Error: getaddrinfo ENOTFOUND redis', 'redis name-not-found'],
  ['Error: read ECONNRESET 10.0.0.5:6379', 'redis reset'],
  [
    'ReplyError: MISCONF Redis is configured to save RDB snapshots, but it is unable to persist',
    'redis snapshot-failing',
  ],
  ["ReplyError: OOM command not allowed when used memory > 'maxmemory'.", 'redis out-of-memory'],
  ['ReplyError: NOAUTH Authentication required.', 'redis password-missing'],
  ['LOADING Redis is loading the dataset in memory', 'redis loading'],
  ['ReplyError: ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.', 'redis request-quota'],
  ['ReplyError: EXECABORT Transaction discarded because of: OOM command not allowed', 'redis out-of-memory'],
  // Python
  ['redis.exceptions.ConnectionError: Error 111 connecting to 172.30.0.1:6379. Connection refused.', 'redis refused'],
  [
    'redis.exceptions.ConnectionError: Error -2 connecting to redis:6379. Name or service not known.',
    'redis name-not-found',
  ],
  ['redis.exceptions.TimeoutError: Timeout reading from 47.111.115.130:6379', 'redis no-answer'],
  ['redis.exceptions.AuthenticationError: Authentication required.', 'redis password-missing'],
  ['redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.', 'redis wrong-password'],
  ["redis.exceptions.ReadOnlyError: You can't write against a read only replica.", 'redis read-only-replica'],
  ["redis.exceptions.OutOfMemoryError: command not allowed when used memory > 'maxmemory'.", 'redis out-of-memory'],
  ['redis.exceptions.ResponseError: max daily request limit exceeded. Limit: 1, Usage: 1.', 'redis request-quota'],
  [
    '[2026-11-20 12:00:00,000: ERROR/MainProcess] consumer: Cannot connect to redis://:**@redis:6379/1: Error 111 connecting to redis:6379. Connection refused..',
    'redis refused',
  ],
  ['consumer: Connection to broker lost. Trying to re-establish the connection...', 'redis broker-lost'],
  ['dial tcp 10.0.0.5:6379: connect: connection refused (redis)', 'redis refused'],
  // PostgreSQL
  ['psycopg.OperationalError: connection failed: Operation timed out', 'postgres connect-timeout'],
  ['asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already', 'postgres too-many-connections'],
  ['FATAL:  password authentication failed for user "app"', 'postgres wrong-password'],
  [
    'sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 40 reached, connection timed out, timeout 60.00',
    'postgres no-connection-free',
  ],
  ['Error: connect ECONNREFUSED 127.0.0.1:5432', 'postgres refused'],
  ['ERROR:  canceling statement due to statement timeout', 'postgres statement-timeout'],
  // Somebody else's
  ['Error: connect ECONNREFUSED 127.0.0.1:3000', 'unknown refused'],
]

test('recognise() knows what servers, systems and client libraries write', () => {
  for (const [line, expected] of LINES) {
    const found = recognise(line.trimEnd())
    assert.equal(`${found?.service} ${found?.code}`, expected, line)
    assert.ok(found !== undefined && found.meaning.endsWith('.') && found.nextStep.length > 0, line)
  }
})

test('recognise() is silent about lines that are no trouble', () => {
  const lines = [
    '1:M 20 Nov 2026 12:00:00.000 * Ready to accept connections',
    '12:00PM ERR request failed path=/x',
    'LOADING fonts',
    'OOM score adjusted',
    'BUSY waiting for user',
    '    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1300:16) ECONNREFUSED',
    "  code: 'ECONNREFUSED',",
    "  address: '172.30.0.1',",
    'GET /redis/health 200',
    'connection refused by policy',
    'Broken pipe in module x',
  ]
  for (const line of lines) assert.equal(recognise(line), undefined, line)
})

test('recognise() tells a refused gateway of a Docker network from any other refusal', () => {
  const gateway = recognise('Error: connect ECONNREFUSED 172.30.0.1:6379')
  assert.match(gateway?.meaning ?? '', /gateway of a Docker network/)
  assert.equal(gateway?.place, '172.30.0.1:6379')
  assert.doesNotMatch(recognise('Error: connect ECONNREFUSED 172.30.0.7:6379')?.meaning ?? '', /gateway/)
})

test('every check that a sign leads to exists', () => {
  const ids = CATALOGUE.map(({ id }) => id)
  const named = [...REDIS_SIGNS, ...SYSTEM_SIGNS, ...CLIENT_SIGNS].flatMap(({ checks }) => checks)
  const met = LINES.flatMap(([line]) => recognise(line)?.checks ?? [])
  const leading = [...named, ...Object.values(CHECKS_OF_FAULTS).flat(), ...met]
  const missing = leading.filter((id) => !ids.includes(id))
  assert.deepEqual([...new Set(missing)], [])
})

test('stampOf() leaves the time as the log has it', () => {
  const stamps: [string, string | undefined][] = [
    ['1234:M 20 Nov 2026 12:51:52.123 * x', '20 Nov 2026 12:51:52.123'],
    ['[2026-11-20 12:51:52,123: ERROR/MainProcess] x', '2026-11-20 12:51:52,123'],
    ['2026-11-20T12:51:52.123Z x', '2026-11-20T12:51:52.123Z'],
    ['2026-11-20T12:51:52+01:00 x', '2026-11-20T12:51:52+01:00'],
    ['Nov 20 12:51:52 host x', 'Nov 20 12:51:52'],
    ['{"level":50,"time":1795179112123,"msg":"x"}', '2026-11-20T12:51:52.123Z'],
    ['no time', undefined],
  ]
  for (const [line, stamp] of stamps) assert.equal(stampOf(line), stamp, line)
})

test('LogTally counts, keeps first and last time and a few places, and shows no secret', () => {
  const tally = new LogTally('app.log')
  tally.add('2026-11-20T12:00:00Z [ioredis] Unhandled error event: Error: connect ECONNREFUSED 10.0.0.1:6379')
  for (let port = 6380; port < 6400; port++)
    tally.add(`2026-11-20T12:00:01Z redis: connect ECONNREFUSED 10.0.0.1:${port}`)
  tally.add('2026-11-20T12:00:02Z redis: connect ECONNREFUSED redis://app:hunter2@10.0.0.1:6379')
  const { sightings, lines } = tally.summary()
  assert.equal(lines, 22)
  const [refused] = sightings
  assert.deepEqual(
    [refused?.code, refused?.count, refused?.firstAt, refused?.lastAt, refused?.places.length],
    ['refused', 22, '2026-11-20T12:00:00Z', '2026-11-20T12:00:02Z', 5],
  )
  const other = new LogTally('x')
  other.add('Error: redis://app:hunter2@h:6379 ECONNREFUSED')
  assert.ok(!JSON.stringify(other.summary()).includes('hunter2'))
})
