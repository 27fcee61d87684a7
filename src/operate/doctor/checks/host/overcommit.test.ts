import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overcommit } from './overcommit.ts'

test('host.overcommit warns unless the kernel always gives', () => {
  const states = [0, 1, 2].map((setting) => overcommit.judge({ overcommit: setting })[0]?.state)
  assert.deepEqual(states, ['warn', 'ok', 'warn'])
})
