import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpHost } from '../../../test/support/made-up-host.ts'
import { addressesOfIp, isPrivate, sameAddress } from './addresses.ts'
import { networksIn } from './docker.ts'
import {
  cgroupFolders,
  cgroupLimit,
  chosenWord,
  kilobyteFields,
  mountOf,
  pressureIn,
  softLimit,
  stealShare,
} from './proc.ts'
import { readProcess, readRedisProcesses } from './process.ts'
import { listenersIn, listensAt } from './sockets.ts'

test('the texts of /proc are read', () => {
  assert.equal(kilobyteFields('MemTotal:       16 kB\nHugePages_Total: 0\n').get('MemTotal'), 16_384)
  assert.equal(
    softLimit(
      'Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files',
      'Max open files',
    ),
    1024,
  )
  assert.equal(softLimit('Max open files            unlimited    unlimited    files', 'Max open files'), Infinity)
  assert.equal(chosenWord('always [madvise] never\n'), 'madvise')
  assert.deepEqual(
    pressureIn('some avg10=1.00 avg60=50.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1'),
    { some: [0.01, 0.5, 0] },
  )
  assert.equal(pressureIn(''), undefined)
  assert.equal(stealShare('cpu  10 0 10 70 0 0 0 10 0 0\ncpu0 1 2 3'), 0.1)
  assert.deepEqual(['max', '9223372036854771712', '1048576'].map(cgroupLimit), [Infinity, Infinity, 1_048_576])
  assert.deepEqual(cgroupFolders('12:memory:/docker/x\n0::/system.slice/redis.service\n'), [
    '/sys/fs/cgroup/system.slice/redis.service',
    '/sys/fs/cgroup/memory/docker/x',
  ])
})

test('mountOf() finds the longest mount point above a path', () => {
  const mountinfo = [
    '1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
    '2 1 0:5 / /var/lib ro,noatime - nfs4 server:/x rw',
    '3 1 0:6 / /var/lib/redis\\040data rw - tmpfs tmpfs rw',
  ].join('\n')
  assert.deepEqual(mountOf(mountinfo, '/var/lib/redis'), { path: '/var/lib', type: 'nfs4', readOnly: true })
  assert.equal(mountOf(mountinfo, '/var/lib/redis data/x')?.type, 'tmpfs')
  assert.equal(mountOf(mountinfo, '/var/library')?.type, 'ext4')
  assert.equal(mountOf('', '/x'), undefined)
})

test('listenersIn() reads the table of the kernel, both families', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 1 1',
    '   1: 01001EAC:18EB 0100007F:1234 01 00000000:00000000 00:00000000 00000000   106        0 1 1',
  ].join('\n')
  assert.deepEqual(listenersIn(table), [{ address: '127.0.0.1', port: 6379, uid: 106 }])
  const six =
    '   0: 00000000000000000000000001000000:18EB 0:0000 0A 0:0 00:0 0   0 0 1 1\n   1: 0000000000000000FFFF0000010011AC:18EB 0:0000 0A 0:0 00:0 0 0 0 1 1'
  assert.deepEqual(
    listenersIn(six).map(({ address }) => address),
    ['::1', '172.17.0.1'],
  )
})

test('listensAt() keeps the families apart, as Redis does', () => {
  const every4 = [{ address: '0.0.0.0', port: 6379, uid: 0 }]
  const every6 = [{ address: '::', port: 6379, uid: 0 }]
  assert.deepEqual(
    [listensAt(every4, '172.30.0.1', 6379), listensAt(every4, '172.30.0.1', 6380), listensAt(every4, '::1', 6379)],
    [true, false, false],
  )
  assert.deepEqual([listensAt(every6, '::1', 6379), listensAt(every6, '127.0.0.1', 6379)], [true, false])
})

test('addresses: ip -j addr, spelling, private ranges', () => {
  const json =
    '[{"ifname":"br-1","flags":["BROADCAST"],"addr_info":[{"family":"inet","local":"172.30.0.1","prefixlen":16},{}]},{"ifname":"lo","flags":["UP"],"addr_info":[{"family":"inet6","local":"::1","prefixlen":128}]}]'
  assert.deepEqual(addressesOfIp(json), [
    { link: 'br-1', address: '172.30.0.1', family: 4, prefix: 16, up: false },
    { link: 'lo', address: '::1', family: 6, prefix: 128, up: true },
  ])
  assert.equal(addressesOfIp('Option "-j" is unknown'), undefined)
  assert.ok(
    sameAddress('0:0:0:0:0:0:0:1', '::1') &&
      sameAddress('fe80::1%eth0', 'FE80::1') &&
      !sameAddress('10.0.0.1', '10.0.0.10'),
  )
  const addresses = [
    '127.0.0.1',
    '10.1.1.1',
    '172.31.0.1',
    '172.32.0.1',
    '100.64.0.1',
    'fd00::1',
    '47.111.115.130',
    '2001:db8::1',
  ]
  assert.deepEqual(addresses.map(isPrivate), [true, true, true, false, true, true, false, false])
})

test('networksIn() reads what docker network inspect prints', () => {
  const json =
    '[{"Name":"prod","Driver":"bridge","IPAM":{"Config":[{"Subnet":"172.30.0.0/16","Gateway":"172.30.0.1/16"}]}},{"Name":"host","Driver":"host","IPAM":{"Config":null}}]'
  assert.deepEqual(networksIn(json), [
    { name: 'prod', driver: 'bridge', gateways: ['172.30.0.1'], subnets: ['172.30.0.0/16'] },
    { name: 'host', driver: 'host', gateways: [], subnets: [] },
  ])
})

test('readProcess() finds the lowest limit of the cgroups above, and knows what it cannot see', async () => {
  const host = madeUpHost({
    files: {
      '/proc/7/comm': 'redis-server\n',
      '/proc/8/comm': 'node\n',
      '/proc/7/status': 'Uid:\t106\t106\t106\t106\nVmRSS:\t100 kB\nVmSwap:\t10 kB\n',
      '/proc/7/limits': null,
      '/proc/7/cgroup': '0::/system.slice/redis.service\n',
      '/sys/fs/cgroup/system.slice/memory.max': '1000\n',
      '/sys/fs/cgroup/system.slice/redis.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/redis.service/memory.events': 'oom 2\noom_kill 1\n',
    },
  })
  const processes = await readRedisProcesses(host)
  assert.deepEqual(processes, { kind: 'known', value: [{ pid: 7, name: 'redis-server' }] })
  const facts = await readProcess(host, { pid: 7, name: 'redis-server' })
  assert.ok(facts.kind === 'known')
  assert.deepEqual(facts.value, {
    pid: 7,
    name: 'redis-server',
    uid: 106,
    rssBytes: 102_400,
    swapBytes: 10_240,
    hugeBytes: Number.NaN,
    openFilesLimit: Number.NaN,
    memoryLimitBytes: 1000,
    oomKills: 1,
  })
})
