/** Memory, disk and settings of the machine: judged on made-up ones. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProcessFacts } from '../../../host/process.ts'
import { parseRedisConf } from '../../../host/redis-conf.ts'
import type { Outcome } from '../../check.ts'
import type { DataDirectory } from '../../evidence/host-values.ts'
import { LogTally } from '../../log/summary.ts'
import { clockSource } from './clock-source.ts'
import { confDrift } from './conf-drift.ts'
import { cpuSteal } from './cpu-steal.ts'
import { dataDirectory } from './data-directory.ts'
import { diskSpace } from './disk-space.ts'
import { forkMemory } from './fork-memory.ts'
import { hugePages } from './huge-pages.ts'
import { memoryLimit } from './memory-limit.ts'
import { oomKills } from './oom-kills.ts'
import { openFiles } from './open-files.ts'
import { pressure } from './pressure.ts'
import { redisLog } from './redis-log.ts'
import { somaxconn } from './somaxconn.ts'
import { swap } from './swap.ts'

const redisHere = { by: 'process', detail: 'made up' } as const
const MIB = 1024 ** 2

function processWith(facts: Partial<ProcessFacts>): ProcessFacts {
  const none = {
    rssBytes: 100 * MIB,
    swapBytes: 0,
    hugeBytes: 0,
    openFilesLimit: 65_535,
    memoryLimitBytes: Infinity,
    oomKills: 0,
  }
  return { pid: 7, name: 'redis-server', uid: 106, ...none, ...facts }
}

function fields(values: Readonly<Record<string, string | number>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

function conf(text: string) {
  return { path: '/etc/redis/redis.conf', ...parseRedisConf(text, '/etc/redis/redis.conf') }
}

function states(outcomes: readonly Outcome[]): string {
  for (const { state, fix, evidence } of outcomes)
    if (state === 'fail' || state === 'warn') assert.ok(fix !== undefined && fix.text !== '' && evidence.length > 0)
  return outcomes.map(({ state }) => state).join(' ')
}

test('host.fork-memory leaves room for the pages that change', () => {
  const judge = (rss: number, available: number, limit = Infinity): string =>
    states(
      forkMemory.judge({
        redisHere,
        redisProcess: processWith({ rssBytes: rss * MIB, memoryLimitBytes: limit * MIB }),
        machineMemory: { totalBytes: 1000 * MIB, availableBytes: available * MIB, swapTotalBytes: 0 },
      }),
    )
  assert.deepEqual(
    [judge(100, 50), judge(100, 49), judge(100, 9), judge(100, 800, 120), judge(100, 800, 105), judge(Number.NaN, 1)],
    ['ok', 'warn', 'fail', 'warn', 'fail', 'not-applicable'],
  )
})

test('host.memory-limit wants maxmemory below three quarters of the limit', () => {
  const judge = (limit: number, maxmemory: number): string =>
    states(
      memoryLimit.judge({
        redisHere,
        redisProcess: processWith({ memoryLimitBytes: limit }),
        config: fields({ maxmemory }),
      }),
    )
  assert.deepEqual(
    [judge(Infinity, 0), judge(100, 75), judge(100, 76), judge(100, 100), judge(100, 0)],
    ['ok', 'ok', 'warn', 'fail', 'fail'],
  )
})

test('host.swap fails above a twentieth', () => {
  const judge = (swapBytes: number): string =>
    states(swap.judge({ redisHere, redisProcess: processWith({ swapBytes, rssBytes: 100 }) }))
  assert.deepEqual([judge(0), judge(5), judge(6), judge(Number.NaN)], ['ok', 'warn', 'fail', 'not-applicable'])
})

test('host.open-files knows that Redis lowers maxclients by itself', () => {
  const judge = (openFilesLimit: number, maxclients: number, text?: string): string =>
    states(
      openFiles.judge({
        redisHere,
        redisProcess: processWith({ openFilesLimit }),
        config: fields({ maxclients }),
        ...(text === undefined ? {} : { redisConf: conf(text) }),
      }),
    )
  assert.deepEqual(
    [
      judge(10_032, 10_000),
      judge(10_031, 10_000),
      judge(1024, 992),
      judge(1024, 992, ''),
      judge(1024, 992, 'maxclients 992'),
    ],
    ['ok', 'warn', 'ok', 'warn', 'ok'],
  )
})

test('host.huge-pages is content with a Redis that switched them off for itself', () => {
  const judge = (mode: string, hugeBytes?: number, thp?: string): string =>
    states(
      hugePages.judge({
        redisHere,
        hugePages: mode,
        ...(hugeBytes === undefined ? {} : { redisProcess: processWith({ hugeBytes }) }),
        ...(thp === undefined ? {} : { config: fields({ 'disable-thp': thp }) }),
      }),
    )
  assert.deepEqual(
    [
      judge('madvise'),
      judge('never'),
      judge('always'),
      judge('always', 0, 'yes'),
      judge('always', 0, 'no'),
      judge('always', MIB, 'yes'),
    ],
    ['ok', 'ok', 'warn', 'ok', 'warn', 'warn'],
  )
})

test('host.somaxconn compares with tcp-backlog', () => {
  assert.equal(states(somaxconn.judge({ redisHere, somaxconn: 4096 })), 'ok')
  assert.equal(states(somaxconn.judge({ redisHere, somaxconn: 128 })), 'warn')
  assert.equal(states(somaxconn.judge({ redisHere, somaxconn: 128, config: fields({ 'tcp-backlog': 128 }) })), 'ok')
  assert.equal(states(somaxconn.judge({ redisHere, somaxconn: 600, redisConf: conf('tcp-backlog 1000') })), 'warn')
})

test('host.pressure, host.clock-source and host.cpu-steal warn of a machine that makes Redis wait', () => {
  const waits = (memory: number, io: number): string =>
    states(pressure.judge({ redisHere, pressure: { memory: { some: [0, memory, 0] }, io: { some: [0, io, 0] } } }))
  assert.deepEqual([waits(0, 0), waits(0.06, 0), waits(0, 0.31), waits(0.5, 0.5)], ['ok', 'warn', 'warn', 'warn warn'])
  assert.deepEqual(
    ['tsc', 'kvm-clock', 'xen'].map((source) => states(clockSource.judge({ redisHere, clockSource: source }))),
    ['ok', 'ok', 'warn'],
  )
  assert.deepEqual(
    [0, 0.05, Number.NaN].map((share) => states(cpuSteal.judge({ redisHere, cpuSteal: share }))),
    ['ok', 'warn', 'not-applicable'],
  )
})

test('host.oom-kills believes the kernel log and the cgroup', () => {
  const judge = (kernelKills: readonly string[], kills?: number): string =>
    states(
      oomKills.judge({
        redisHere,
        kernelKills,
        ...(kills === undefined ? {} : { redisProcess: processWith({ oomKills: kills }) }),
      }),
    )
  assert.deepEqual(
    [judge([]), judge([], Number.NaN), judge([], 1), judge(['Out of memory: Killed process 7 (redis-server)'])],
    ['ok', 'ok', 'fail', 'fail'],
  )
})

describe('the data directory', () => {
  const sound: DataDirectory = {
    path: '/var/lib/redis',
    uid: 106,
    mode: 0o750,
    freeBytes: 100,
    freeInodes: 5000,
    dataBytes: 10,
    fileSystem: 'ext4',
    readOnly: false,
  }

  test('host.disk-space wants room for two', () => {
    const judge = (changes: Partial<DataDirectory>, used?: number): string =>
      states(
        diskSpace.judge({
          redisHere,
          dataDirectory: { ...sound, ...changes },
          ...(used === undefined ? {} : { info: fields({ used_memory: used }) }),
        }),
      )
    assert.deepEqual(
      [
        judge({}),
        judge({ dataBytes: 51 }),
        judge({ dataBytes: 101 }),
        judge({ dataBytes: 0 }, 60),
        judge({ freeInodes: 3 }),
        judge({ freeBytes: Number.NaN }),
      ],
      ['ok', 'warn', 'fail', 'warn', 'warn', 'not-applicable'],
    )
  })

  test('host.data-directory wants a place that can be written and lasts', () => {
    const judge = (changes: Partial<DataDirectory>, uid?: number): string =>
      states(
        dataDirectory.judge({
          redisHere,
          dataDirectory: { ...sound, ...changes },
          ...(uid === undefined ? {} : { redisProcess: processWith({ uid }) }),
        }),
      )
    assert.deepEqual(
      [
        judge({}),
        judge({}, 106),
        judge({}, 107),
        judge({ mode: 0o550 }, 106),
        judge({ mode: 0o770 }, 107),
        judge({}, 0),
        judge({ readOnly: true }),
        judge({ fileSystem: 'nfs4' }),
        judge({ fileSystem: 'tmpfs' }),
      ],
      ['ok', 'ok', 'fail', 'fail', 'ok', 'ok', 'fail', 'warn', 'warn'],
    )
  })
})

test('host.conf-drift names what the next start changes, and shows no secret', () => {
  const redisConf = conf('bind 127.0.0.1 -::1\nmaxmemory 1mb\nappendonly yes\nmasterauth hunter2\n')
  const same = { bind: '127.0.0.1 -::1', maxmemory: MIB, appendonly: 'yes', masterauth: 'hunter2', requirepass: '' }
  assert.equal(states(confDrift.judge({ redisHere, redisConf, config: fields(same) })), 'ok')
  const [outcome] = confDrift.judge({
    redisHere,
    redisConf,
    config: fields({ ...same, bind: '*', requirepass: 'hunter3', masterauth: 'hunter4' }),
  })
  assert.equal(outcome?.state, 'warn')
  assert.deepEqual(outcome.evidence, [
    'bind: * now, 127.0.0.1 -::1 in /etc/redis/redis.conf:1',
    'requirepass: set now, not in /etc/redis/redis.conf',
    'masterauth: another one now than in /etc/redis/redis.conf',
  ])
  assert.ok(!JSON.stringify(outcome).includes('hunter'))
})

test('host.redis-log tells what Redis wrote, and leaves settings to their own checks', () => {
  const tally = new LogTally('/var/log/redis/redis-server.log')
  tally.add('1:C 20 Nov 2026 12:00:00.000 # WARNING Memory overcommit must be enabled!')
  assert.equal(states(redisLog.judge({ redisHere, redisLog: tally.summary() })), 'ok')
  tally.add(
    '1:M 20 Nov 2026 12:00:00.001 # Warning: Could not create server TCP listening socket 172.30.0.1:6379: bind: Cannot assign requested address',
  )
  tally.add('1:M 20 Nov 2026 12:00:00.002 * Asynchronous AOF fsync is taking too long (disk is busy?).')
  assert.equal(states(redisLog.judge({ redisHere, redisLog: tally.summary() })), 'fail warn')
})
