/** Evidence of made-up machines: found where it is, and never made up itself. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../../../test/support/fake-clock.ts'
import { madeUpHost, type MadeUpHostOptions } from '../../../../test/support/made-up-host.ts'
import { known, type Evidence } from '../../evidence.ts'
import type { Layer, LayerName } from '../../diagnosis.ts'
import { targetOfUrl } from '../../targets.ts'
import { Collection } from '../collection.ts'
import { unreachable, type Server } from '../server.ts'
import type { Hints } from './context.ts'
import { SOURCES } from './sources.ts'

interface Place {
  readonly url?: string
  readonly machine?: MadeUpHostOptions
  readonly hints?: Hints
  /** Fields of INFO and CONFIG; left out: the server does not answer. */
  readonly info?: string
  readonly config?: readonly string[]
  /** What the layers of the check say. @default none was looked at */
  readonly layers?: Readonly<Partial<Record<LayerName, string>>>
}

const DIAGNOSIS = { kind: 'redis', place: '', source: '', served: false, ms: 0, layers: [] } as const

function at({
  url = 'redis://127.0.0.1:6379',
  machine = {},
  hints = {},
  info,
  config,
  layers = {},
}: Place): Collection {
  const target = targetOfUrl(url, 'argument 1')
  assert.ok(target.kind === 'redis')
  const answers: Server = {
    ask: async (command) => known(command === 'INFO' ? (info ?? '') : [...(config ?? [])]),
  }
  const server = info === undefined ? unreachable('refused') : answers
  const clock = new FakeClock()
  const serverAt = (): Server => unreachable('refused')
  const parts = { target, server, serverAt, host: madeUpHost(machine), hints, clock, endsAt: clock.now() + 1000 }
  const looked = Object.entries(layers).map(([name, detail]) => layerOf(name as LayerName, detail))
  const diagnosis = { reads: 'made up', collect: async () => known({ ...DIAGNOSIS, layers: looked }) }
  return new Collection(parts, { ...SOURCES, diagnosis })
}

function layerOf(name: LayerName, detail: string): Layer {
  return { name, state: 'ok', detail, ms: 0, facts: {}, finding: undefined }
}

function valueOf<Value>(evidence: Evidence<Value>): Value {
  assert.ok(evidence.kind === 'known', JSON.stringify(evidence))
  return evidence.value
}

const ADDRESSES =
  '[{"ifname":"lo","flags":["UP"],"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},{"ifname":"eth0","flags":["UP"],"addr_info":[{"family":"inet","local":"10.0.0.5","prefixlen":24}]}]'
const PROCESS = { '/proc/42/comm': 'redis-server\n', '/proc/42/status': 'Uid: 1 1 1 1\nVmRSS: 1 kB\n' }

describe('redisHere', () => {
  const cases: [string, Place, string, RegExp][] = [
    ['its process is seen', { machine: { files: PROCESS }, info: 'process_id:42' }, 'known', /process 42/],
    [
      'its process is not: a container or a tunnel',
      { info: 'process_id:42' },
      'not-available',
      /container or behind a tunnel/,
    ],
    ['silent on loopback', {}, 'known', /127\.0\.0\.1 is this machine/],
    ['silent on an interface', { url: 'redis://10.0.0.5', machine: { programs: { ip: ADDRESSES } } }, 'known', /eth0/],
    [
      'elsewhere',
      { url: 'redis://10.9.9.9', machine: { programs: { ip: ADDRESSES } } },
      'not-available',
      /another machine/,
    ],
    [
      'answers elsewhere, with a process id that a Redis has here too',
      { url: 'redis://10.9.9.9', machine: { files: PROCESS, programs: { ip: ADDRESSES } }, info: 'process_id:42' },
      'not-available',
      /another machine/,
    ],
    ['a socket file', { url: 'unix:///run/redis.sock' }, 'known', /file of this machine/],
    [
      'an address that only redis.conf has',
      {
        url: 'redis://172.30.0.1',
        machine: { programs: { ip: ADDRESSES }, files: { '/etc/redis/redis.conf': 'bind 127.0.0.1 172.30.0.1' } },
      },
      'known',
      /no interface has 172\.30\.0\.1/,
    ],
    [
      'a name that the check has resolved',
      {
        url: 'redis://redis.local',
        machine: { programs: { ip: ADDRESSES } },
        layers: { name: '10.0.0.5:6379, [fd00::1]:6379' },
      },
      'known',
      /10\.0\.0\.5/,
    ],
    ['a name that has no address', { url: 'redis://redis.local' }, 'not-available', /another machine/],
    [
      'the master of sentinels that run here is elsewhere',
      {
        url: 'redis+sentinel://127.0.0.1/m',
        machine: { files: PROCESS, programs: { ip: ADDRESSES } },
        info: 'process_id:42',
        layers: { sentinels: "the master 'm' is 10.9.9.9:6379" },
      },
      'not-available',
      /10\.9\.9\.9 is no address/,
    ],
    [
      'the master of sentinels is here',
      {
        url: 'redis+sentinel://10.9.9.9/m',
        machine: { files: PROCESS, programs: { ip: ADDRESSES } },
        info: 'process_id:42',
        layers: { sentinels: "the master 'm' is 10.0.0.5:6379" },
      },
      'known',
      /process 42/,
    ],
    ['sentinels that are silent', { url: 'redis+sentinel://127.0.0.1/m' }, 'not-available', /could not be found out/],
    ['told', { url: 'redis://10.9.9.9', hints: { unit: 'redis' } }, 'known', /told/],
  ]
  for (const [name, place, kind, words] of cases)
    test(name, async () => {
      const here = await at(place).evidence('redisHere')
      assert.equal(here.kind, kind, JSON.stringify(here))
      assert.match(here.kind === 'known' ? here.value.detail : here.detail, words)
    })
})

test('a machine without /proc: nothing is available, and nothing is made up', async () => {
  const mac = at({})
  for (const name of [
    'overcommit',
    'somaxconn',
    'hugePages',
    'machineMemory',
    'pressure',
    'listeners',
    'ipv6Off',
    'redisProcess',
    'unit',
    'dockerNetworks',
    'kernelKills',
    'redisConf',
    'composeServices',
    'envFiles',
    'redisApplication',
    'dataDirectory',
    'redisLog',
  ] as const)
    assert.equal((await mac.evidence(name)).kind, 'not-available', name)
})

test('what may not be read is not permitted, and no more', async () => {
  const closed = at({
    machine: {
      files: {
        '/etc/redis/redis.conf': null,
        '/proc/sys/vm/overcommit_memory': null,
        'compose.yaml': null,
        '.env': null,
      },
    },
  })
  for (const name of [
    'redisConf',
    'wantedBind',
    'overcommit',
    'composeServices',
    'envFiles',
    'redisApplication',
  ] as const)
    assert.equal((await closed.evidence(name)).kind, 'not-permitted', name)
})

test('redis.conf: the one that was told, that the server names, that the unit names, one of the usual ones', async () => {
  const files = {
    '/told.conf': 'port 1',
    '/served.conf': 'port 2',
    '/unit.conf': 'port 3',
    '/etc/redis/redis.conf': 'port 4',
    '/lib/systemd/system/redis.service': '[Service]\nExecStart=/usr/bin/redis-server /unit.conf --port 33\n',
  }
  const { '/lib/systemd/system/redis.service': _, ...unitless } = files
  const portAt = async (place: Place): Promise<number> => valueOf(await at(place).evidence('wantedBind')).port
  assert.equal(await portAt({ machine: { files }, hints: { redisConf: '/told.conf' } }), 1)
  assert.equal(await portAt({ machine: { files }, info: 'config_file:/served.conf' }), 2)
  assert.equal(await portAt({ machine: { files } }), 33)
  assert.equal(await portAt({ machine: { files: unitless } }), 4)
  assert.equal((await at({ machine: { files }, info: 'config_file:\r\n' }).evidence('redisConf')).kind, 'not-available')
})

test('wantedBind: the running server knows better than its file', async () => {
  const machine = { files: { '/etc/redis/redis.conf': 'bind 10.0.0.1' } }
  const running = valueOf(
    await at({ machine, info: 'x:1', config: ['bind', '127.0.0.1 -::1', 'port', '7000', 'tls-port', '7001'] }).evidence(
      'wantedBind',
    ),
  )
  assert.deepEqual(
    [running.addresses.map(({ address }) => address), running.port, running.tlsPort],
    [['127.0.0.1', '::1'], 7000, 7001],
  )
  const stopped = valueOf(await at({ machine }).evidence('wantedBind'))
  assert.deepEqual([stopped.addresses[0]?.address, stopped.from], ['10.0.0.1', '/etc/redis/redis.conf:1'])
})

test('redisLog: since the last start; of a service without a file from the journal', async () => {
  const log = [
    '1:C 1 Jan 2026 00:00:00.000 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
    '1:M 1 Jan 2026 00:00:00.001 # Failed listening on port 6379 (TCP), aborting.',
    '2:C 2 Jan 2026 00:00:00.000 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
    "2:M 2 Jan 2026 00:00:01.000 # Can't save in background: fork: Cannot allocate memory",
  ].join('\n')
  const files = { '/etc/redis/redis.conf': 'logfile /log', '/log': log }
  const summary = valueOf(await at({ machine: { files } }).evidence('redisLog'))
  assert.deepEqual(
    summary.sightings.map(({ code }) => code),
    ['host.fork-memory'],
  )
  const systemctl = 'LoadState=loaded\n'
  const journal = valueOf(
    await at({
      machine: { files: { '/run/systemd/system/x': '' }, programs: { systemctl, journalctl: log } },
    }).evidence('redisLog'),
  )
  assert.deepEqual([journal.source, journal.sightings.length], ['journalctl -u redis-server', 1])
})

test('dataDirectory: space by df, files of both kinds', async () => {
  const files = {
    '/etc/redis/redis.conf': 'dir /data',
    '/data/dump.rdb': 'x'.repeat(10),
    '/data/appendonlydir/a.aof': 'x'.repeat(5),
    '/data/notes': 'xxx',
    '/proc/self/mountinfo': '1 0 8:1 / /data rw - xfs /dev/sdb rw',
  }
  const df = 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sdb 100 60 40 60% /data\n'
  const directory = valueOf(
    await at({ machine: { files, programs: { df }, facts: { '/data': { uid: 106, mode: 0o750 } } } }).evidence(
      'dataDirectory',
    ),
  )
  assert.deepEqual(directory, {
    path: '/data',
    uid: 106,
    mode: 0o750,
    freeBytes: 40_960,
    freeInodes: 40,
    dataBytes: 15,
    fileSystem: 'xfs',
    readOnly: false,
  })
})

test('compose files take their variables from the .env beside them', async () => {
  const files = {
    'compose.yml': 'services: { r: { image: "redis:${TAG}" } }',
    '.env': 'TAG=8.2\nREDIS_PASSWORD=x',
    'deploy/compose.yaml': 'services: { r: { image: "redis:${TAG:-none}" } }',
  }
  const [here] = valueOf(await at({ machine: { files } }).evidence('composeServices'))
  assert.equal(here?.image, 'redis:8.2')
  const [there] = valueOf(
    await at({ machine: { files }, hints: { composeFiles: ['deploy/compose.yaml'] } }).evidence('composeServices'),
  )
  assert.equal(there?.image, 'redis:none')
  assert.deepEqual(valueOf(await at({ machine: { files } }).evidence('redisApplication')), ['compose.yml', '.env'])
})

test('redisProcess: the one that the server names; of one that does not answer, the only one', async () => {
  const two = { ...PROCESS, '/proc/43/comm': 'redis-server\n', '/proc/43/status': 'Uid: 1 1 1 1\n' }
  assert.equal(valueOf(await at({ machine: { files: PROCESS } }).evidence('redisProcess')).pid, 42)
  assert.equal(valueOf(await at({ machine: { files: two }, info: 'process_id:43' }).evidence('redisProcess')).pid, 43)
  assert.equal((await at({ machine: { files: two } }).evidence('redisProcess')).kind, 'not-available')
})

test('kernelKills: only those of Redis, from the journal, or from dmesg', async () => {
  const lines =
    'Nov 20 12:00:00 h kernel: Out of memory: Killed process 7 (redis-server) total-vm:1kB\nNov 20 12:00:01 h kernel: Out of memory: Killed process 8 (node) total-vm:1kB\n'
  assert.equal(valueOf(await at({ machine: { programs: { journalctl: lines } } }).evidence('kernelKills')).length, 1)
  assert.equal(valueOf(await at({ machine: { programs: { dmesg: lines } } }).evidence('kernelKills')).length, 1)
})
