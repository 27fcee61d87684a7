import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../../database/index.ts'
import type { Database, StatementOptions } from '../../database/index.ts'
import { readSettings } from '../options.ts'
import { TaskStore } from './store.ts'

/** A store, and what it says of its statements beside their text. */
function subject() {
  const said: StatementOptions[] = []
  const { dialect } = createDatabase()
  const database: Pick<Database, 'engine' | 'dialect' | 'migrate' | 'query'> = {
    engine: 'sqlite',
    dialect,
    migrate: () => undefined,
    query: async (_sql, _parameters, options = {}) => {
      said.push(options)
      return { rows: [], rowCount: 0 }
    },
  }
  return { store: new TaskStore(database as Database, readSettings({})), said }
}

test('only claims may be undone by a crash of the machine: what is stored and how it ended is on the disk', async () => {
  const { store, said } = subject()
  const lease = { id: 'a', token: 't', attempt: 1 }
  const limits = new Map([['send', 1]])
  const demand = { token: 't', via: 'database', atMost: 1, limits, graceMs: 0 } as const
  const ending = {
    ...lease,
    state: 'done',
    result: null,
    error: null,
    delayMs: null,
    keepMs: 0,
    givenBack: false,
  } as const
  const keys = { uniqueKey: null, idempotencyKey: null }
  await store.claimIds(['a'], demand)
  await store.claimBest(demand)
  await store.insert([
    { id: 'a', name: 'send', payload: '1', priority: 0, maxAttempts: 1, delayMs: 0, runAt: null, ...keys },
  ])
  await store.end([ending])
  await store.cancel('a')
  assert.deepEqual(
    said.map(({ mayBeUndone = false }) => mayBeUndone),
    [true, true, false, false, false],
  )
})

test('a claim of whatever is best asks first whether there is anything: all workers are woken for one task', async () => {
  const { store, said } = subject()
  const limits = new Map([['send', 1]])
  await store.claimBest({ token: 't', via: 'database', atMost: 1, limits, graceMs: 250 })
  assert.deepEqual(said[0]?.onlyIf?.params, ['default', ['send'], -250])
})
