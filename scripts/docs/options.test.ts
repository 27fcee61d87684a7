import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readSettings as readDatabaseSettings } from '../../src/database/options.ts'
import { readSettings as readLinkSettings } from '../../src/link/settings.ts'
import { readSettings as readTasksSettings } from '../../src/tasks/options.ts'
import { root } from '../project.ts'
import { optionsIn } from './options.ts'

function source(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8')
}

/** The numbers that an interface promises behind `@default`. */
function promised(path: string, name: string): Record<string, number> {
  const fields = optionsIn(source(path), name).map(({ name, default: preset = '' }) => {
    const digits = /^[\d_]+/.exec(preset)?.[0] ?? ''
    return [name, Number(digits.replaceAll('_', ''))] as const
  })
  return Object.fromEntries(fields.filter(([, value]) => value > 0))
}

test('optionsIn() reads name, text and default of each field, over several lines too', () => {
  const text = `export interface Things extends Other {
  /** One. @default 1 */
  readonly one?: number
  /**
   * Two,
   * on lines. @default 'two'
   */
  readonly two?: string
  readonly three: boolean
}`
  assert.deepEqual(optionsIn(text, 'Things'), [
    { name: 'one', required: false, text: 'One.', default: '1' },
    { name: 'two', required: false, text: 'Two, on lines.', default: "'two'" },
    { name: 'three', required: true, text: '', default: undefined },
  ])
  assert.throws(() => optionsIn(text, 'Nothing'), /no interface Nothing/)
})

test('the defaults that are documented are those that the code uses', () => {
  const link = readLinkSettings()
  const { reconnectCapMs, ...tuning } = promised('src/link/settings.ts', 'LinkTuning')
  assert.equal(reconnectCapMs, link.reconnect.capMs)
  assert.equal(Object.keys(tuning).length, 8)
  for (const [name, value] of Object.entries(tuning)) assert.equal(link[name as keyof typeof link], value, name)

  const { pool, ...database } = readDatabaseSettings({})
  const options = promised('src/database/options.ts', 'DatabaseOptions')
  assert.equal(Object.keys(options).length, 8)
  for (const [name, value] of Object.entries(options))
    assert.equal(database[name as keyof typeof database], value, name)
  assert.deepEqual(promised('src/database/options.ts', 'PoolOptions'), pool)

  const tasks = readTasksSettings({})
  const promises = promised('src/tasks/options.ts', 'TasksOptions')
  assert.equal(Object.keys(promises).length, 10)
  for (const [name, value] of Object.entries(promises)) assert.equal(tasks[name as keyof typeof tasks], value, name)
})

/** Beginnings of names that the code puts together. */
const PREFIXES = ['REDIS', 'REDIS_SENTINEL']

/** What the code reads from the environment: the names stand in its texts. */
function variablesRead(): Set<string | undefined> {
  const files = [
    'src/link/environment.ts',
    'src/database/environment.ts',
    'src/tasks/environment.ts',
    'examples/orders/settings.ts',
  ]
  const names = files.flatMap((file) =>
    [...source(file).matchAll(/'([A-Z][A-Z0-9_]{3,})'/g)].map(([, name = '']) => name),
  )
  return new Set(names.filter((name) => !PREFIXES.includes(name)))
}

test('docs/configuration.md names every environment variable that is read, and no other', () => {
  const told = source('docs/configuration.md').matchAll(/^\| `([A-Z][A-Z0-9_]+)`/gm)
  assert.deepEqual(new Set([...told].map(([, name]) => name)), variablesRead())
})
