import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import { placeOf, postgresAddress } from './address.ts'

const read = (url: string): ReturnType<typeof postgresAddress> => postgresAddress(url, undefined)

test('postgresAddress() reads every part, percent-encoding too', () => {
  assert.deepEqual(read('postgres://us%40er:p%3Aw%2F@db.test:6000/sh%20op?application_name=till'), {
    host: 'db.test',
    port: 6000,
    user: 'us@er',
    password: 'p:w/',
    database: 'sh op',
    applicationName: 'till',
    tls: undefined,
  })
})

test('postgresAddress() fills in what is missing, and takes sockets, IPv6 and the schemes of other languages', () => {
  assert.deepEqual(
    [read('postgresql://').host, read('postgres://').port, read('postgres:///x').database],
    ['localhost', 5432, 'x'],
  )
  assert.deepEqual([read('postgres://[::1]:7/x').host, read('postgres:///x?host=/run/pg').host], ['::1', '/run/pg'])
  assert.equal(read('postgresql+asyncpg://u:p@h/x').host, 'h')
})

test('postgresAddress() knows the modes of TLS, the option wins', () => {
  const tls = (query: string): unknown => read(`postgres://h/x${query}`).tls
  assert.deepEqual([tls(''), tls('?sslmode=disable'), tls('?sslmode=require')], [undefined, undefined, {}])
  assert.deepEqual([tls('?sslmode=no-verify'), tls('?ssl=true')], [{ rejectUnauthorized: false }, {}])
  assert.deepEqual(postgresAddress('postgres://h/x?sslmode=disable', { ca: 'pem' }).tls, { ca: 'pem' })
})

for (const url of [
  'mysql://u:sesame@h/x',
  'redis://:sesame@h',
  'postgres://u:ses#ame@h:port/x',
  'postgres://u:sesame%@h/x',
  'postgres://u:sesame@h/x?sslmode=yes',
  'postgres://u:sesame@h/x?sslrootcert=/no/such/file',
  'h:5432',
])
  test(`postgresAddress() refuses a wrong URL without showing its password: ${url.replace(/ses#?ame/, '…')}`, () => {
    assert.throws(
      () => read(url),
      (error) => error instanceof OptionError && !/ses#?ame/.test(`${error.message} ${error.nextStep}`),
    )
  })

test('placeOf() is for people, without user and password', () => {
  assert.equal(placeOf(read('postgres://u:sesame@h:1/x')), 'h:1/x')
  assert.equal(placeOf(read('postgres://u:sesame@[::1]/')), '[::1]:5432/u')
})
