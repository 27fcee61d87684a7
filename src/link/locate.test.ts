import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Locator, tlsAt } from './locate.ts'

const tcp = (host: string, name?: string) =>
  ({ kind: 'tcp', host, port: 6379, ...(name === undefined ? {} : { name }) }) as const
const resolving = (...hosts: string[]) => new Locator(() => Promise.resolve(hosts))
const redis = tcp('redis')

test('Locator gives IP addresses and sockets back as they are', async () => {
  const locator = new Locator((host) => Promise.resolve([host]))
  const socket = { kind: 'socket', path: '/s' } as const
  assert.deepEqual(await locator.locate(socket), [socket])
  assert.deepEqual(await locator.locate(tcp('10.0.0.1')), [tcp('10.0.0.1')])
})

test('Locator begins each attempt with the next address and remembers the name', async () => {
  const locator = resolving('::1', '127.0.0.1')
  const attempts = [await locator.locate(redis), await locator.locate(redis), await locator.locate(redis)]
  const six = tcp('::1', 'redis')
  const four = tcp('127.0.0.1', 'redis')
  assert.deepEqual(attempts, [
    [six, four],
    [four, six],
    [six, four],
  ])
})

test('Locator begins with the address that worked last, as long as the name has it', async () => {
  let hosts = ['::1', '127.0.0.1']
  const locator = new Locator(() => Promise.resolve(hosts))
  const first = async () => (await locator.locate(redis))[0]
  await first()
  locator.worked(tcp('127.0.0.1', 'redis'))
  assert.deepEqual(await first(), tcp('127.0.0.1', 'redis'))
  assert.deepEqual(await first(), tcp('::1', 'redis'))
  locator.worked(tcp('127.0.0.1', 'redis'))
  hosts = ['10.0.0.2']
  assert.deepEqual(await first(), tcp('10.0.0.2', 'redis'))
})

test('Locator keeps hosts apart', async () => {
  const locator = new Locator((host) => Promise.resolve([`${host}-1`, `${host}-2`]))
  await locator.locate(redis)
  assert.deepEqual((await locator.locate(tcp('other')))[0], tcp('other-1', 'other'))
})

test('Locator falls back to the name when the resolver finds nothing and has no error', async () => {
  assert.deepEqual(await resolving().locate(redis), [redis])
})

test('tlsAt() asks for a certificate of the name', () => {
  assert.deepEqual(tlsAt(tcp('10.0.0.1', 'redis'), {}), { servername: 'redis' })
  assert.deepEqual(tlsAt(tcp('10.0.0.1', 'redis'), { servername: 'other' }), { servername: 'other' })
  assert.deepEqual(tlsAt(tcp('10.0.0.1'), {}), {})
  assert.equal(tlsAt(tcp('10.0.0.1', 'redis'), undefined), undefined)
})
