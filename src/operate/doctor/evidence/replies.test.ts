/** How the words of a server become evidence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userOf } from './acl.ts'
import { nodeOf } from './cluster.ts'
import { fieldsOfInfo, fieldsOfLine, fieldsOfPairs, itemsOf, numberIn } from './fields.ts'
import { databasesIn, shapeOf } from './keys.ts'
import { neighboursIn } from './nodes.ts'
import { purposeOf } from './purposes.ts'

test('fieldsOf…() read what INFO, CLIENT LIST and CONFIG GET answer', () => {
  const info = fieldsOfInfo(
    '# Memory\r\nused_memory:12\r\nmem_allocator:jemalloc-5.3.0\r\n\r\n# Keyspace\r\ndb3:keys=7,expires=2,avg_ttl=0',
  )
  assert.deepEqual([...info.keys()], ['used_memory', 'mem_allocator', 'db3'])
  assert.equal(numberIn(info, 'used_memory'), 12)
  assert.ok(Number.isNaN(numberIn(info, 'maxmemory')) && Number.isNaN(numberIn(info, 'mem_allocator')))
  assert.deepEqual(databasesIn(info), [{ database: 3, keys: 7, expires: 2 }])
  const client = fieldsOfLine('id=5 addr=127.0.0.1:39166 name= cmd=client|list user=default')
  assert.deepEqual([client.get('name'), client.get('cmd')], ['', 'client|list'])
  assert.deepEqual(
    [...fieldsOfPairs(['save', '', 'port', '6379'])],
    [
      ['save', ''],
      ['port', '6379'],
    ],
  )
  assert.deepEqual([itemsOf('text'), itemsOf(null)], [[], []])
})

test('userOf() reads a line of ACL LIST, and its selectors are not its own rules', () => {
  const hash = 'a'.repeat(64)
  assert.deepEqual(userOf(`user app on sanitize-payload #${hash} ~cache:* resetchannels -@all +get (~x:* +set)`), {
    name: 'app',
    enabled: true,
    needsPassword: true,
    passwordHashes: [hash],
    commands: ['-@all', '+get'],
    keys: ['~cache:*'],
  })
  const open = userOf('user default on nopass ~* &* +@all')
  assert.deepEqual([open.needsPassword, open.commands], [false, ['+@all']])
})

test('nodeOf() reads a line of CLUSTER NODES, with slots that are moving', () => {
  const line = 'abc 10.0.0.1:6379@16379,host myself,master - 0 0 1 connected 0-5460 6000 [7000->-def]'
  const expected = {
    id: 'abc',
    place: '10.0.0.1:6379',
    flags: ['myself', 'master'],
    master: undefined,
    connected: true,
  }
  assert.deepEqual(nodeOf(line), { ...expected, slots: 5462 })
  const replica = nodeOf('def 10.0.0.2:6379@16379 slave,fail abc 0 0 1 disconnected')
  assert.deepEqual([replica.master, replica.connected, replica.slots], ['abc', false, 0])
})

test('neighboursIn() finds the replicas of a master and the master of a replica', () => {
  const master = new Map([
    ['role', 'master'],
    ['slave0', 'ip=10.0.0.7,port=6380,state=online,offset=1,lag=0'],
  ])
  assert.deepEqual(neighboursIn(master), ['10.0.0.7:6380'])
  assert.deepEqual(
    neighboursIn(
      new Map([
        ['master_host', 'redis-a'],
        ['master_port', '6379'],
      ]),
    ),
    ['redis-a:6379'],
  )
})

test('shapeOf() keeps words and drops what may be a secret', () => {
  const shapes = {
    'sess:9f2c77aa01': 'sess:*',
    'user:42:profile': 'user:*:profile',
    'bull:emails:completed': 'bull:emails:completed',
    'session:hunter2': 'session:*',
    'cache:ana@example.com': 'cache:*',
    celery: 'celery',
    '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d': '*',
    'a:b:c:d:e:f': 'a:b:c:d…',
  }
  for (const [name, shape] of Object.entries(shapes)) assert.equal(shapeOf(name), shape)
})

test('purposeOf() knows how frameworks name their keys', () => {
  const names = {
    'bull:emails:7': 'queue',
    celery: 'queue',
    unacked_index: 'queue',
    '_kombu.binding.celery': 'queue',
    'celery-task-meta-1': 'results',
    'sess:1': 'sessions',
    'connect.sid:1': 'sessions',
    'rl:ip:1': 'limits',
    'ratelimit:1': 'limits',
    'cache:1': 'cache',
    'checkpoint:1': 'checkpoints',
    'evenkeel:limits:1': 'limits',
    'celery-lookalike': undefined,
    'user:1': undefined,
  }
  for (const [name, purpose] of Object.entries(names)) assert.equal(purposeOf(name), purpose, name)
})
