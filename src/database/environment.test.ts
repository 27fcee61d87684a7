import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import { postgresAddress } from './address.ts'
import { databaseFromEnvironment } from './environment.ts'

test('databaseFromEnvironment() finds nothing in an empty environment: node:sqlite in ./data', () => {
  assert.deepEqual(databaseFromEnvironment({ DATABASE_URL: ' ', POSTGRES_HOST: '' }), { database: {}, notices: [] })
})

test('databaseFromEnvironment() reads every variable', () => {
  const { database } = databaseFromEnvironment({
    DATABASE_URL: 'postgres://u:p@h/x',
    EVENKEEL_DATA_DIR: '/var/lib/shop',
    DATABASE_POOL_MAX: '20',
    DATABASE_CONNECT_TIMEOUT: '3s',
    DATABASE_STATEMENT_TIMEOUT: '2m',
  })
  assert.deepEqual(database, {
    url: 'postgres://u:p@h/x',
    directory: '/var/lib/shop',
    pool: { max: 20 },
    connectTimeoutMs: 3000,
    statementTimeoutMs: 120_000,
  })
})

test('databaseFromEnvironment() puts POSTGRES_* together, whatever characters are in them', () => {
  const account = { POSTGRES_USER: 'us@er', POSTGRES_PASSWORD: 'p/w:#%', POSTGRES_DB: 'a b' }
  const read = (host: string): ReturnType<typeof postgresAddress> => {
    const { database } = databaseFromEnvironment({ POSTGRES_HOST: host, POSTGRES_PORT: '6000', ...account })
    return postgresAddress(database.url ?? '', undefined)
  }
  const { host, port, user, password, database } = read('db')
  assert.deepEqual([host, port, user, password, database], ['db', 6000, 'us@er', 'p/w:#%', 'a b'])
  assert.deepEqual([read('::1').host, read('/run/pg').host], ['::1', '/run/pg'])
})

test('databaseFromEnvironment() keeps the blanks of a password, and trims everything else', () => {
  const { database } = databaseFromEnvironment({
    POSTGRES_HOST: ' db ',
    POSTGRES_USER: ' u ',
    POSTGRES_PASSWORD: ' p w ',
  })
  const { host, user, password } = postgresAddress(database.url ?? '', undefined)
  assert.deepEqual([host, user, password], ['db', 'u', ' p w '])
})

test('databaseFromEnvironment() names the variable that is wrong', () => {
  const wrong: readonly (readonly [name: string, value: string])[] = [
    ['DATABASE_URL', 'foo'],
    ['DATABASE_URL', 'postgres://u:p#w@h/x'],
    ['DATABASE_URL', 'postgres://h/x?sslmode=maybe'],
    ['DATABASE_URL', 'postgres://h/x?port=abc'],
    ['POSTGRES_HOST', 'my host'],
    ['POSTGRES_HOST', 'db:5433'],
  ]
  for (const [name, value] of wrong)
    assert.throws(
      () => databaseFromEnvironment({ [name]: value }),
      (error) => error instanceof OptionError && error.option === name && error.message.includes(`'${name}'`),
      `${name}=${value}`,
    )
})

test('databaseFromEnvironment() says what it did not read', () => {
  const both = databaseFromEnvironment({ DATABASE_URL: 'postgres://h/x', POSTGRES_HOST: 'other' })
  assert.deepEqual(both.notices, ['DATABASE_URL is set: POSTGRES_HOST not read.'])
  const hostless = databaseFromEnvironment({ POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'sesame' })
  assert.deepEqual(
    [hostless.database, hostless.notices],
    [{}, ['POSTGRES_HOST is not set: POSTGRES_USER, POSTGRES_PASSWORD not read.']],
  )
})

for (const [name, value] of [
  ['DATABASE_URL', 'mysql://u:sesame@h/x'],
  ['DATABASE_POOL_MAX', '0'],
  ['DATABASE_CONNECT_TIMEOUT', 'soon'],
  ['POSTGRES_PORT', '99999'],
] as const)
  test(`databaseFromEnvironment() refuses a wrong value at once: ${name}`, () => {
    assert.throws(
      () => databaseFromEnvironment({ POSTGRES_HOST: 'h', POSTGRES_PASSWORD: 'sesame', [name]: value }),
      (error) => error instanceof OptionError && !error.message.includes('sesame'),
    )
  })
