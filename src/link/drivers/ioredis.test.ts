import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { OptionError } from '../../errors.ts'
import { libraryOf } from './ioredis-client.ts'
import { ioredis } from './ioredis.ts'

const idle = { lazyConnect: true } as const

test('ioredis() given the class says nothing about the endpoint', () => {
  assert.equal(ioredis(Redis).endpoint, undefined)
  assert.equal(ioredis(Redis5).endpoint, undefined)
})

test('ioredis() reads what the url of a client says', () => {
  for (const client of [
    new Redis('redis://worker:p%40ss@redis.example.test:7000/3', idle),
    new Redis5('redis://worker:p%40ss@redis.example.test:7000/3', idle),
  ])
    assert.deepEqual(ioredis(client).endpoint, {
      address: { kind: 'tcp', host: 'redis.example.test', port: 7000 },
      username: 'worker',
      password: 'p@ss',
      database: 3,
    })
})

test('ioredis() reads TLS settings, bytes as text', () => {
  const plain = new Redis('rediss://redis.example.test', idle)
  assert.deepEqual(ioredis(plain).endpoint?.tls, {})
  const client = new Redis({
    ...idle,
    path: '/run/redis.sock',
    tls: { ca: Buffer.from('authority'), servername: 'in.test' },
  })
  assert.deepEqual(ioredis(client).endpoint, {
    address: { kind: 'socket', path: '/run/redis.sock' },
    database: 0,
    tls: { ca: ['authority'], servername: 'in.test' },
  })
})

test('ioredis() knows no address of a client that asks sentinels', () => {
  const client = new Redis({ ...idle, name: 'main', password: 'pw', sentinels: [{ host: 'localhost', port: 26379 }] })
  assert.deepEqual(ioredis(client).endpoint, { password: 'pw', database: 0 })
})

test('libraryOf() finds the original behind a client, also behind a class of the application', () => {
  class Ours extends Redis {
    constructor() {
      super('redis://localhost', idle)
    }
  }
  for (const source of [Redis, new Redis(idle), Ours, new Ours()]) {
    const { Command, create } = libraryOf(source)
    assert.equal(Command, Redis.Command)
    const client = create(idle)
    assert.ok(client instanceof Redis && !(client instanceof Ours))
    assert.equal(client.status, 'wait')
  }
  assert.equal(libraryOf(new Redis5(idle)).Command, Redis5.Command)
})

test('libraryOf() hands no setting of a client on that would speak or act by itself', () => {
  const acting = {
    keyPrefix: 'mine:',
    commandTimeout: 5,
    connectionName: 'me',
    reconnectOnError: () => true,
    readOnly: true,
  }
  const client = new Redis({
    ...idle,
    ...acting,
    username: 'me',
    password: 'pw',
    db: 3,
    stringNumbers: true,
    socketTimeout: 5,
  })
  const fresh = libraryOf(client).create(idle)
  assert.ok(fresh instanceof Redis)
  const options: Record<string, unknown> = { ...fresh.options }
  const names = [...Object.keys(acting), 'username', 'password', 'db', 'stringNumbers', 'socketTimeout']
  const left = names.filter((name) => options[name])
  assert.deepEqual(left, [])
})

test('ioredis() refuses a cluster and what is no ioredis at all', () => {
  const cluster = new Cluster([{ host: 'localhost', port: 7000 }], idle)
  const strangers: unknown[] = [cluster, Cluster, {}, Map, 'redis://localhost', undefined, null]
  for (const stranger of strangers)
    assert.throws(
      () => ioredis(stranger as Parameters<typeof ioredis>[0]),
      (error) => error instanceof OptionError && error.option === 'redis.driver',
      String(stranger),
    )
  cluster.disconnect()
})
