import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from './options.ts'
import type { DatabaseOptions } from './options.ts'

test('readSettings() fills in every default', () => {
  const settings = readSettings({})
  assert.deepEqual(
    [settings.postgres, settings.directory, settings.pool.max, settings.deadlineMs],
    [undefined, './data', 10, 10_000],
  )
})

test('readSettings() takes undefined for left out, and an empty URL too', () => {
  const given: object = { url: undefined, directory: undefined, pool: { max: undefined } }
  const settings = readSettings(given)
  assert.deepEqual([settings.directory, settings.pool.max], ['./data', 10])
  assert.equal(readSettings({ url: '  ' }).postgres, undefined)
})

test('readSettings() takes the application name from the option, else from the URL', () => {
  const url = 'postgres://h/x?application_name=till'
  assert.deepEqual(
    [readSettings({ url }).applicationName, readSettings({ url, applicationName: 'shop' }).applicationName],
    ['till', 'shop'],
  )
})

const wrong: readonly [string, DatabaseOptions][] = [
  ['database.deadlineMs', { deadlineMs: 0 }],
  ['database.connectTimeoutMs', { connectTimeoutMs: 1.5 }],
  ['database.pool.max', { pool: { max: 0 } }],
  ['database.pool.idleMs', { pool: { idleMs: 2 ** 31 } }],
  ['database.watchMs', { watchMs: -1 }],
  ['database.url', { url: 'mysql://h' }],
  ['database.tls', { tls: {} }],
]
for (const [option, options] of wrong)
  test(`readSettings() names the option that cannot work: ${option}`, () => {
    assert.throws(() => readSettings(options), { code: 'OPTION_INVALID', option })
  })

test('readSettings() refuses an option that nobody reads', () => {
  const misspelt: object = { deadlineMS: 5 }
  assert.throws(() => readSettings(misspelt), /'deadlineMS' is no option of database/)
  const pool: object = { maximum: 5 }
  assert.throws(() => readSettings({ pool }), /'maximum' is no option of database.pool/)
})
