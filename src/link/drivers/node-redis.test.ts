import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, createCluster, createSentinel } from '@redis/client'
import { OptionError } from '../../errors.ts'
import { nodeRedis } from './node-redis.ts'

test('nodeRedis() without a client says nothing about the endpoint', () => {
  assert.equal(nodeRedis().endpoint, undefined)
})

test('nodeRedis() reads what the url of a client says', () => {
  const client = createClient({ url: 'redis://worker:p%40ss@redis.example.test:7000/3' })
  assert.deepEqual(nodeRedis(client).endpoint, {
    address: { kind: 'tcp', host: 'redis.example.test', port: 7000 },
    username: 'worker',
    password: 'p@ss',
    database: 3,
  })
})

test('nodeRedis() reads TLS settings, bytes as text, and leaves the rest of the socket options alone', () => {
  const ca = [Buffer.from('authority one'), 'authority two']
  const socket = { tls: true, ca, servername: 'inside.test', rejectUnauthorized: false, connectTimeout: 1 } as const
  assert.deepEqual(nodeRedis(createClient({ url: 'rediss://redis.example.test', socket })).endpoint, {
    address: { kind: 'tcp', host: 'redis.example.test', port: 6379 },
    tls: { ca: ['authority one', 'authority two'], servername: 'inside.test', rejectUnauthorized: false },
  })
})

test('nodeRedis() reads options without a url, with the defaults of the client', () => {
  const bySocket = createClient({
    username: 'me',
    password: 'pw',
    database: 2,
    socket: { path: '/run/redis.sock', tls: false },
  })
  assert.deepEqual(nodeRedis(bySocket).endpoint, {
    address: { kind: 'socket', path: '/run/redis.sock' },
    username: 'me',
    password: 'pw',
    database: 2,
  })
  assert.deepEqual(nodeRedis(createClient()).endpoint, { address: { kind: 'tcp', host: 'localhost', port: 6379 } })
})

test('nodeRedis() refuses clients that do not tell where they connect to', () => {
  const cluster = createCluster({ rootNodes: [{ url: 'redis://localhost' }] })
  const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 26379 }] })
  for (const client of [cluster, sentinel])
    assert.throws(
      () => nodeRedis(client as object),
      (error) => error instanceof OptionError && error.option === 'redis.driver',
    )
})
