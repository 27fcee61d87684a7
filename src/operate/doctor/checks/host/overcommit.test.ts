import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overcommit } from './overcommit.ts'

test('host.overcommit warns unless the kernel always gives', () => {
  const redisHere = { by: 'process', detail: 'process 1' } as const
  const states = [0, 1, 2].map((setting) => overcommit.judge({ redisHere, overcommit: setting })[0]?.state)
  assert.deepEqual(states, ['warn', 'ok', 'warn'])
})
