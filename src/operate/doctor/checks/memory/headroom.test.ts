import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headroom } from './headroom.ts'

const MIB = 1024 ** 2

test('memory.headroom warns at 80 %, fails at 90 %, and says nothing where there is no limit', () => {
  const cases = [
    [{ used_memory: 79 * MIB, maxmemory: 100 * MIB }, 'ok'],
    [{ used_memory: 80 * MIB, maxmemory: 100 * MIB }, 'warn'],
    [{ used_memory: 90 * MIB, maxmemory: 100 * MIB }, 'fail'],
    [{ used_memory: 900 * MIB, maxmemory: 1 }, 'fail'],
    [{ used_memory: 900 * MIB, maxmemory: 0 }, 'not-applicable'],
  ] as const
  for (const [fields, state] of cases) {
    const info = new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]))
    const [outcome] = headroom.judge({ info })
    assert.equal(outcome?.state, state, JSON.stringify(fields))
  }
})
