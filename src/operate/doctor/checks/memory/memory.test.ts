import { test } from 'node:test'
import { assertTable, type Given } from '../../../../../test/support/doctor-table.ts'
import type { SampledKey, Use } from '../../evidence/server-values.ts'
import { bigKeys } from './big-keys.ts'
import { clientBuffers } from './client-buffers.ts'
import { evictions } from './evictions.ts'
import { fragmentation } from './fragmentation.ts'
import { headroom } from './headroom.ts'
import { limit } from './limit.ts'
import { mixedPurposes } from './mixed-purposes.ts'
import { noExpiry } from './no-expiry.ts'
import { parts } from './parts.ts'
import { policy } from './policy.ts'
import { scripts } from './scripts.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** `queue` or, where its keys have a time to live, `sessions:ttl`. */
function uses(...words: string[]): Pick<Given, 'purposes'> {
  const all = words.map((word): Use => {
    const [purpose = '', ttl] = word.split(':')
    return { purpose: purpose as Use['purpose'], where: 'db0', sampled: 9, expiring: ttl === undefined ? 0 : 9 }
  })
  return { purposes: { source: 'detected', uses: all } }
}

test('memory.headroom warns at 80 %, fails at 90 %', () => {
  assertTable(headroom, [
    [{ info: { used_memory: 79 * MIB, maxmemory: 100 * MIB } }, 'ok'],
    [{ info: { used_memory: 80 * MIB, maxmemory: 100 * MIB } }, 'warn'],
    [{ info: { used_memory: 90 * MIB, maxmemory: 100 * MIB } }, 'fail', /90\.0 MiB.*90 %/],
    [{ info: { used_memory: 900 * MIB, maxmemory: 1 } }, 'fail', /used up/],
    [{ info: { used_memory: 900 * MIB, maxmemory: 0 } }, 'not-applicable'],
  ])
})

test('memory.policy judges by what the data is for', () => {
  const limited = (name: string): Given => ({ info: { maxmemory_policy: name, maxmemory: MIB } })
  const unlimited = (name: string): Given => ({ info: { maxmemory_policy: name, maxmemory: 0 } })
  assertTable(policy, [
    [{ ...limited('allkeys-lru'), ...uses('cache', 'queue') }, 'fail', /evicts queue\./],
    [{ ...unlimited('allkeys-lru'), ...uses('queue') }, 'warn', /as soon as there is a limit/],
    [{ ...limited('volatile-lru'), ...uses('sessions:ttl') }, 'warn'],
    [{ ...limited('volatile-lru'), ...uses('queue') }, 'ok'],
    [{ ...limited('volatile-ttl'), ...uses('sessions:ttl') }, 'ok'],
    [{ ...limited('noeviction'), ...uses('queue', 'sessions:ttl') }, 'ok'],
    [{ ...limited('noeviction'), ...uses('cache:ttl') }, 'warn', /refuses writes once it is full/],
    [{ ...unlimited('noeviction'), ...uses('cache:ttl') }, 'info'],
    [{ ...limited('allkeys-lfu'), ...uses('cache') }, 'ok'],
    [{ ...limited('allkeys-lfu'), ...uses() }, 'not-applicable'],
  ])
})

test('memory.evictions are the daily work of a cache and a loss of everything else', () => {
  const rising = { after: { evicted_keys: 90, maxmemory_policy: 'allkeys-lru' }, before: { evicted_keys: 40 } }
  assertTable(evictions, [
    [{ after: { evicted_keys: 0 } }, 'ok'],
    [{ ...rising, ...uses('cache') }, 'warn', /50 per second now/],
    [{ after: rising.after, ...uses('cache') }, 'info'],
    [{ after: rising.after, ...uses('queue') }, 'fail'],
    [{ after: { ...rising.after, maxmemory_policy: 'volatile-ttl' }, ...uses('queue') }, 'info'],
  ])
})

test('memory.fragmentation has the limits of MEMORY DOCTOR', () => {
  const memory = (used: number, rss: number): Given => ({
    info: {
      used_memory: used,
      used_memory_rss: rss,
      mem_fragmentation_ratio: (rss / used).toFixed(2),
      mem_fragmentation_bytes: rss - used,
    },
  })
  assertTable(fragmentation, [
    [memory(4 * MIB, 40 * MIB), 'not-applicable'],
    [memory(100 * MIB, 120 * MIB), 'ok'],
    [memory(100 * MIB, 150 * MIB), 'warn', /50\.0 MiB are lost/],
    [memory(10 * MIB, 15 * MIB), 'ok'],
    [memory(GIB, GIB / 2), 'fail', /512\.0 MiB of the data are not in memory/],
  ])
})

test('memory.limit', () => {
  const memory = (maxmemory: number): Given => ({
    info: { maxmemory, total_system_memory: 8 * GIB, used_memory: GIB },
  })
  assertTable(limit, [
    [memory(4 * GIB), 'ok'],
    [memory(0), 'warn', /no limit/],
    [memory(9 * GIB), 'warn', /above what the machine has/],
  ])
})

function sample(count: number, key: Partial<SampledKey> & { name: string }): Pick<Given, 'keys'> {
  const keys = Array.from({ length: count }, () => ({
    type: 'string',
    ttlMs: undefined,
    bytes: 60,
    length: undefined,
    ...key,
  }))
  return { keys: { databases: count === 0 ? [] : [{ database: 0, keys: count, expires: 0, sampled: keys }] } }
}

test('memory.no-expiry is about what should go by itself', () => {
  assertTable(noExpiry, [
    [sample(0, { name: '' }), 'not-applicable'],
    [sample(100, { name: 'sess:9f2c77' }), 'warn', /100 × sess:\*/],
    [sample(100, { name: 'sess:9f2c77', ttlMs: 5 }), 'ok'],
    [sample(100, { name: 'bull:emails:7' }), 'ok'],
    [sample(10, { name: 'cache:1' }), 'ok'],
  ])
})

test('memory.big-keys', () => {
  assertTable(bigKeys, [
    [sample(0, { name: '' }), 'not-applicable'],
    [sample(1, { name: 'a', bytes: 100 }), 'ok'],
    [sample(1, { name: 'a', bytes: 200_000 }), 'info'],
    [sample(1, { name: 'a', type: 'hash', bytes: 200_000, length: 5000 }), 'ok'],
    [sample(1, { name: 'a', type: 'hash', bytes: 200_000, length: 5001 }), 'info', /5001 members/],
    [sample(1, { name: 'user:hunter2', bytes: 11 * MIB }), 'warn', /user:\*: string, 11\.0 MiB/],
  ])
})

test('memory.client-buffers', () => {
  const client = { addr: '10.0.0.7:5', name: 'api', cmd: 'subscribe', qbuf: 0, omem: 0 }
  assertTable(clientBuffers, [
    [{ clients: [client] }, 'ok'],
    [{ clients: [{ ...client, omem: 11 * MIB }] }, 'warn', /10\.0\.0\.7:5 \(api\), last subscribe: 11\.0 MiB/],
    [{ clients: [client], info: { client_output_buffer_limit_disconnections: 2 } }, 'warn', /were cut off/],
    [{ clients: [{ ...client, qbuf: 200_001 }] }, 'warn'],
  ])
})

test('memory.scripts', () => {
  assertTable(scripts, [
    [{ info: { number_of_cached_scripts: 1000 } }, 'ok'],
    [{ info: { number_of_cached_scripts: 1001 } }, 'warn'],
  ])
})

test('memory.mixed-purposes', () => {
  assertTable(mixedPurposes, [
    [uses('cache'), 'ok'],
    [uses('queue', 'results'), 'ok'],
    [uses('cache', 'queue'), 'info'],
  ])
})

test('memory.parts', () => {
  const stats = (overhead: number): Given => ({
    memoryStats: { 'total.allocated': 100 * MIB, 'overhead.total': overhead, 'clients.normal': MIB },
  })
  assertTable(parts, [
    [stats(20 * MIB), 'ok'],
    [stats(60 * MIB), 'info', /60 % of the memory is not data/],
    [{ memoryStats: { 'total.allocated': MIB } }, 'not-applicable'],
  ])
})
