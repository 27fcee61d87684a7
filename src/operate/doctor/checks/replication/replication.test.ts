import { test } from 'node:test'
import { assertTable, fields, type Given } from '../../../../../test/support/doctor-table.ts'
import type { ClusterNode, NodeFacts, SentinelFacts } from '../../evidence/server-values.ts'
import { announcedAddresses } from './announced-addresses.ts'
import { backlog } from './backlog.ts'
import { clusterReplicas } from './cluster-replicas.ts'
import { clusterSlots } from './cluster-slots.ts'
import { lag } from './lag.ts'
import { link } from './link.ts'
import { masterPassword } from './master-password.ts'
import { minReplicas } from './min-replicas.ts'
import { quorum } from './quorum.ts'
import { replicaPlace } from './replica-place.ts'
import { sentinelCount } from './sentinel-count.ts'
import { sentinelState } from './sentinel-state.ts'
import { twoMasters } from './two-masters.ts'

type Written = Parameters<typeof fields>[0]

function node(place: string, info: Written, config: Written = {}, unreached?: string): NodeFacts {
  return { place, unreached, info: fields(info), config: fields(config) }
}

const MASTER = { role: 'master' }
const REPLICA = { role: 'slave', master_host: '10.0.0.1', master_port: 6379, master_link_status: 'up' }
const master = node('this server', MASTER)
const replica = node('10.0.0.2:6379', REPLICA, { 'replica-read-only': 'yes' })

test('replication.link forgives a break of seconds and a first synchronisation', () => {
  const down = (more: Written): Given => ({ nodes: [node('a', { ...REPLICA, master_link_status: 'down', ...more })] })
  assertTable(link, [
    [{ nodes: [master] }, 'not-applicable'],
    [{ nodes: [master, replica] }, 'ok'],
    [down({ master_link_down_since_seconds: 10 }), 'warn'],
    [down({ master_link_down_since_seconds: 11 }), 'fail', /link down for 11 s/],
    [down({ master_link_down_since_seconds: -1 }), 'fail'],
    [down({ master_link_down_since_seconds: -1, master_sync_in_progress: 1 }), 'warn'],
  ])
})

test('replication.lag', () => {
  const behind = (words: string): Given => ({
    info: { master_repl_offset: 3000, slave0: `ip=10.0.0.2,port=6379,${words}` },
  })
  assertTable(lag, [
    [{ info: {} }, 'not-applicable'],
    [behind('state=online,offset=3000,lag=1'), 'ok'],
    [behind('state=online,offset=1000,lag=11'), 'warn', /last word 11 s ago, 2 KiB behind/],
    [behind('state=wait_bgsave,offset=0,lag=0'), 'warn'],
  ])
})

test('replication.backlog holds a minute of writes, or not', () => {
  const written = (bytes: number): Given => ({
    after: { connected_slaves: 1, repl_backlog_size: 60_000, master_repl_offset: bytes },
    before: { master_repl_offset: 0 },
  })
  assertTable(backlog, [
    [{ after: { connected_slaves: 0 } }, 'not-applicable'],
    [written(1000), 'ok'],
    [written(2000), 'warn', /holds 30 s/],
  ])
})

test('replication.master-password is looked for on every server', () => {
  const locked = { requirepass: 'secret-1', masterauth: 'secret-1' }
  assertTable(masterPassword, [
    [{ nodes: [node('a', MASTER, locked)] }, 'not-applicable'],
    [{ nodes: [node('a', MASTER, locked), node('b', REPLICA, locked)] }, 'ok'],
    [{ nodes: [node('a', MASTER, { ...locked, masterauth: '' }), node('b', REPLICA, locked)] }, 'fail', /missing on a/],
    [{ nodes: [node('a', MASTER, { requirepass: '', masterauth: '' }), replica] }, 'ok'],
    [{ nodes: [master, node('b', REPLICA)] }, 'not-available'],
  ])
})

test('replication.min-replicas', () => {
  const demanded = (count: number, more: Written = {}): Given => ({
    config: { 'min-replicas-to-write': count },
    info: { role: 'master', connected_slaves: 1, min_slaves_good_slaves: 1, ...more },
  })
  assertTable(minReplicas, [
    [demanded(1), 'ok'],
    [demanded(2), 'fail', /NOREPLICAS.*1 replicas are well, 2/],
    [demanded(0), 'info'],
    [{ ...demanded(0), sentinels: [] }, 'warn'],
    [demanded(0, { connected_slaves: 0 }), 'not-applicable'],
  ])
})

function sentinel(place: string, changes: Partial<SentinelFacts> = {}): SentinelFacts {
  const plain = {
    unreached: undefined,
    master: '10.0.0.1:6379',
    fields: fields({ quorum: 2 }),
    others: [],
    replicas: [],
  }
  return { place, ...plain, quorum: 'OK 3 usable Sentinels', flushed: 'OK', ...changes }
}

test('replication.quorum', () => {
  const away = sentinel('c:26379', { unreached: 'refused' })
  assertTable(quorum, [
    [{ sentinels: [sentinel('a:26379'), sentinel('b:26379')] }, 'ok'],
    [{ sentinels: [sentinel('a:26379'), sentinel('b:26379'), away] }, 'warn', /1 of 3 sentinels do not answer/],
    [{ sentinels: [sentinel('a:26379', { quorum: 'NOQUORUM 1 usable Sentinels' }), away] }, 'fail'],
    [{ sentinels: [away] }, 'fail'],
  ])
})

test('replication.sentinel-count counts those too that the sentinels know of', () => {
  const knowing = (place: string, ...others: string[]): Given => ({ sentinels: [sentinel(place, { others })] })
  assertTable(sentinelCount, [
    [knowing('a:26379', 'b:26379', 'c:26379'), 'ok'],
    [knowing('a:1', 'a:2', 'a:3'), 'warn', /on one machine/],
    [knowing('a:26379', 'b:26379', 'c:26379', 'd:26379'), 'info'],
    [knowing('a:26379', 'b:26379'), 'fail', /Two sentinels/],
    [knowing('a:26379'), 'fail', /One sentinel/],
  ])
})

test('replication.sentinel-state', () => {
  assertTable(sentinelState, [
    [{ sentinels: [sentinel('a:26379')] }, 'ok'],
    [{ sentinels: [sentinel('a:26379', { flushed: 'ERR Failed to save config' })] }, 'fail', /Failed to save/],
    [{ sentinels: [sentinel('a:26379', { unreached: 'refused' })] }, 'not-available'],
  ])
})

test('replication.two-masters', () => {
  assertTable(twoMasters, [
    [{ nodes: [master] }, 'not-applicable'],
    [{ nodes: [master, replica] }, 'ok'],
    [{ nodes: [master, node('b', MASTER)] }, 'fail', /2 masters/],
    [
      { nodes: [master, replica], sentinels: [sentinel('a'), sentinel('b', { master: 'x:1' })] },
      'fail',
      /do not agree/,
    ],
  ])
})

test('replication.announced-addresses', () => {
  assertTable(announcedAddresses, [
    [{ nodes: [master] }, 'not-applicable'],
    [{ nodes: [master, replica] }, 'ok'],
    [{ nodes: [master, node('172.17.0.3:6379', {}, {}, 'no route')] }, 'warn', /172\.17\.0\.3:6379: no route/],
  ])
})

test('replication.replica-place', () => {
  const near = { ...REPLICA, master_host: '127.0.0.1' }
  assertTable(replicaPlace, [
    [{ nodes: [master] }, 'not-applicable'],
    [{ nodes: [master, replica] }, 'ok'],
    [{ nodes: [node('b', REPLICA, { 'replica-read-only': 'no' })] }, 'warn'],
    [{ nodes: [node('b', near, { 'replica-read-only': 'yes' })] }, 'info'],
    [{ nodes: [node('b', REPLICA)] }, 'not-available'],
  ])
})

function clusterNode(id: string, changes: Partial<ClusterNode> = {}): ClusterNode {
  return { id, place: `${id}:6379`, flags: ['master'], master: undefined, connected: true, slots: 100, ...changes }
}

test('replication.cluster-slots', () => {
  const state = (cluster_state: string, cluster_slots_ok: number): Given => ({
    cluster: { cluster_state, cluster_slots_ok },
  })
  assertTable(clusterSlots, [
    [state('ok', 16_384), 'ok'],
    [state('ok', 16_000), 'warn'],
    [
      { ...state('fail', 16_383), clusterNodes: [clusterNode('a', { flags: ['master', 'fail'] })] },
      'fail',
      /a:6379: master, fail/,
    ],
  ])
})

test('replication.cluster-replicas', () => {
  const follower = clusterNode('b', { flags: ['slave'], master: 'a', slots: 0 })
  assertTable(clusterReplicas, [
    [{ clusterNodes: [clusterNode('a'), follower] }, 'ok'],
    [{ clusterNodes: [clusterNode('a'), clusterNode('c'), follower] }, 'warn', /1 of 2 masters/],
    [{ clusterNodes: [clusterNode('a'), { ...follower, flags: ['slave', 'fail'] }] }, 'warn'],
  ])
})
