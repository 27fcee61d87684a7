import { test } from 'node:test'
import { assertTable, type Given } from '../../../../../test/support/doctor-table.ts'
import type { Finding, Layer } from '../../../diagnosis.ts'
import { blockedClients } from './blocked-clients.ts'
import { clientLimit } from './client-limit.ts'
import { costlyCommands } from './costly-commands.ts'
import { errorReplies } from './error-replies.ts'
import { hitRate } from './hit-rate.ts'
import { idleClients } from './idle-clients.ts'
import { keepAlive } from './keep-alive.ts'
import { latencyEvents } from './latency-events.ts'
import { quota } from './quota.ts'
import { rejectedConnections } from './rejected-connections.ts'
import { roundTrip } from './round-trip.ts'
import { slowCommands } from './slow-commands.ts'

const CACHE: Given = {
  purposes: { source: 'declared', uses: [{ purpose: 'cache', where: 'db0', sampled: 1, expiring: 1 }] },
}

function diagnosis(...layers: Partial<Layer>[]): Given {
  const plain = { name: 'ping', state: 'ok', detail: '', ms: 1, facts: {}, finding: undefined } as const
  const all = layers.map((layer) => ({ ...plain, ...layer }))
  return { diagnosis: { kind: 'redis', place: 'here', source: 'test', served: true, ms: 1, layers: all } }
}

test('traffic.quota knows the texts of a provider from an outage', () => {
  const failing = (code: string): Given => {
    const finding: Finding = { code, error: 'ERR max requests limit exceeded', meaning: 'Used up.', nextStep: 'Wait.' }
    return diagnosis({ state: 'failed', finding })
  }
  assertTable(quota, [
    [diagnosis({}), 'ok'],
    [failing('request-quota'), 'fail', /max requests limit exceeded/],
    [failing('refused'), 'ok'],
  ])
})

test('traffic.client-limit names who has the connections', () => {
  const clients = [{ addr: '10.0.0.7:1' }, { addr: '10.0.0.7:2' }, { addr: '10.0.0.8:1' }]
  assertTable(clientLimit, [
    [{ info: { connected_clients: 79, maxclients: 100 } }, 'ok'],
    [{ info: { connected_clients: 80, maxclients: 100 }, clients }, 'warn', /2 from 10\.0\.0\.7\n1 from 10\.0\.0\.8/],
    [{ info: { connected_clients: 90, maxclients: 100 } }, 'fail'],
  ])
})

test('traffic.rejected-connections', () => {
  assertTable(rejectedConnections, [
    [{ after: { rejected_connections: 0 } }, 'ok'],
    [{ after: { rejected_connections: 5 } }, 'warn'],
    [{ after: { rejected_connections: 5 }, before: { rejected_connections: 4 } }, 'fail'],
  ])
})

test('traffic.error-replies leaves out what the doctor himself was denied', () => {
  assertTable(errorReplies, [
    [{ after: { errorstat_ERR: 'count=9' } }, 'ok'],
    [{ after: { errorstat_OOM: 'count=9' } }, 'info', /OOM: 9 times/],
    [{ after: { errorstat_OOM: 'count=9' }, before: { errorstat_OOM: 'count=8' } }, 'warn', /OOM right now/],
    [{ after: { errorstat_NOPERM: 'count=9' }, before: { errorstat_NOPERM: 'count=8' } }, 'info'],
  ])
})

test('traffic.slow-commands', () => {
  const entry = { command: 'KEYS', arguments: 1, ms: 120, at: 0 }
  assertTable(slowCommands, [
    [{ now: 0, slowlog: [] }, 'ok'],
    [{ now: 0, slowlog: [{ ...entry, ms: 10 }] }, 'ok'],
    [
      { now: 7_200_000, slowlog: [entry] },
      'warn',
      /KEYS took up to 120 ms[^]*KEYS with 1 arguments: 120\.0 ms, 2 hours ago/,
    ],
    [{ now: 0, slowlog: [entry], config: { 'slowlog-log-slower-than': -1 } }, 'not-applicable'],
  ])
})

test('traffic.latency-events', () => {
  const fork = { event: 'fork', latestMs: 20, maxMs: 101 }
  assertTable(latencyEvents, [
    [{ latency: [], config: { 'latency-monitor-threshold': 100 } }, 'ok'],
    [{ latency: [], config: { 'latency-monitor-threshold': 0 } }, 'info', /monitor is off/],
    [{ latency: [fork] }, 'warn', /up to 101 ms: fork/],
    [{ latency: [{ ...fork, maxMs: 100 }] }, 'ok'],
  ])
})

test('traffic.round-trip', () => {
  const measured = (p50Ms: number): Given =>
    diagnosis({ name: 'round-trip', detail: `p50 ${p50Ms} ms`, facts: { p50Ms } })
  assertTable(roundTrip, [
    [measured(5), 'ok'],
    [measured(5.1), 'info'],
    [measured(21), 'warn'],
    [diagnosis({}), 'not-applicable'],
  ])
})

test('traffic.hit-rate is for caches with some traffic', () => {
  const reads = (hits: number, misses: number): Given => ({ info: { keyspace_hits: hits, keyspace_misses: misses } })
  assertTable(hitRate, [
    [{ ...reads(800, 200), ...CACHE }, 'ok'],
    [{ ...reads(799, 201), ...CACHE }, 'warn', /80 % of 1000 reads hit/],
    [{ ...reads(1, 998), ...CACHE }, 'not-applicable'],
    [reads(1, 9999), 'not-applicable'],
  ])
})

test('traffic.costly-commands counts subcommands too', () => {
  assertTable(costlyCommands, [
    [{ info: { cmdstat_get: 'calls=9,usec=9,usec_per_call=1.00' } }, 'ok'],
    [
      { info: { cmdstat_flushall: 'calls=1,usec=2000,usec_per_call=2000.00' } },
      'info',
      /flushall: 1 calls, 2\.00 ms each/,
    ],
    [{ info: { cmdstat_keys: 'calls=3,usec=3,usec_per_call=1.00' } }, 'warn', /KEYS/],
    [{ info: { 'cmdstat_debug|sleep': 'calls=3,usec=3,usec_per_call=1.00' } }, 'info', /DEBUG/],
    [{ info: { cmdstat_keys: 'calls=0,usec=0,usec_per_call=0.00' } }, 'ok'],
  ])
})

test('traffic.blocked-clients', () => {
  assertTable(blockedClients, [
    [{ info: { blocked_clients: 100, connected_clients: 101 } }, 'ok'],
    [{ info: { blocked_clients: 101, connected_clients: 300 } }, 'ok'],
    [
      { info: { blocked_clients: 160, connected_clients: 300 }, clients: [{ flags: 'b', cmd: 'brpop' }] },
      'warn',
      /1 in brpop/,
    ],
  ])
})

test('traffic.idle-clients', () => {
  const clients = (count: number, idle: number, flags = 'N'): Given => ({
    clients: Array.from({ length: count }, () => ({ addr: '10.0.0.7:1', name: '', idle, flags })),
  })
  assertTable(idleClients, [
    [clients(51, 3600), 'ok'],
    [clients(50, 3601), 'ok'],
    [clients(51, 3601), 'warn', /51 of 51 clients/],
    [clients(51, 3601, 'P'), 'ok'],
  ])
})

test('traffic.keep-alive', () => {
  assertTable(keepAlive, [
    [{ config: { 'tcp-keepalive': 300 } }, 'ok'],
    [{ config: { 'tcp-keepalive': 0 } }, 'warn'],
  ])
})
