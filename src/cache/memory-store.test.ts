import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryStore, type EntryFacts } from './memory-store.ts'

function facts(overrides: Partial<EntryFacts> = {}): EntryFacts {
  return {
    now: 0,
    epoch: 1,
    expiresAt: 100,
    freshUntil: 100,
    usableUntil: 100,
    bytes: 1,
    tags: undefined,
    ...overrides,
  }
}

test('what was asked for since the hand came by is spared', () => {
  const store = new MemoryStore<number>({ maxEntries: 3, maxBytes: 1000 })
  for (const key of ['a', 'b', 'c']) store.put(key, 1, facts())
  const a = store.get('a')
  if (a !== undefined) a.visited = true
  store.put('d', 1, facts())
  assert.deepEqual([...store.keys()], ['a', 'c', 'd'])
  assert.equal(store.evictions, 1)
})

test('what is past its time goes first, asked for or not', () => {
  const store = new MemoryStore<number>({ maxEntries: 2, maxBytes: 1000 })
  store.put('past', 1, facts({ expiresAt: 5 }))
  store.put('good', 1, facts())
  const past = store.get('past')
  if (past !== undefined) past.visited = true
  store.put('new', 1, facts({ now: 10 }))
  assert.deepEqual([...store.keys()], ['good', 'new'])
})

test('bytes are bounded; what is larger than all of it is not kept', () => {
  const store = new MemoryStore<number>({ maxEntries: 100, maxBytes: 10 })
  for (const key of ['a', 'b', 'c']) store.put(key, 1, facts({ bytes: 4 }))
  assert.deepEqual([...store.keys()], ['b', 'c'])
  store.put('c', 2, facts({ bytes: 11 }))
  assert.deepEqual([...store.keys()], ['b'])
  assert.equal(store.bytes, 4)
})

test('under any sequence the bounds hold and the books are right', () => {
  const key = fc.integer({ min: 0, max: 8 }).map(String)
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      key,
      bytes: fc.integer({ min: 0, max: 12 }),
      life: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    fc.record({ kind: fc.constant('hit' as const), key }),
    fc.constant({ kind: 'clear' as const }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const store = new MemoryStore<number>({ maxEntries: 4, maxBytes: 20 })
      for (const [now, one] of steps.entries()) {
        if (one.kind === 'put') {
          const until = now + one.life
          store.put(
            one.key,
            now,
            facts({ now, bytes: one.bytes, expiresAt: until, freshUntil: until, usableUntil: until }),
          )
          assert.ok(one.bytes > 20 || store.get(one.key)?.value === now, 'what was just put is there')
        } else if (one.kind === 'delete') store.delete(one.key)
        else if (one.kind === 'clear') store.clear()
        else {
          const entry = store.get(one.key)
          if (entry !== undefined) entry.visited = true
        }
        const held = [...store.keys()].map((name) => store.get(name))
        assert.ok(store.size <= 4 && store.bytes <= 20)
        assert.equal(
          store.bytes,
          held.reduce((sum, entry) => sum + (entry?.bytes ?? 0), 0),
        )
      }
    }),
    { numRuns: 2000 },
  )
})
