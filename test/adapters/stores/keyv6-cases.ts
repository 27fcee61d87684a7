/** What Keyv 6 asks of a store, beside what its users see: its suite for stores is not published, so these are cases of our own. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Keyv6Store } from '../../../src/adapters/keyv.ts'

type Case = (store: Keyv6Store) => Promise<void> | void

const LIFE_MS = 250
const inFuture = (): number => Date.now() + LIFE_MS
const over = (): Promise<void> => delay(LIFE_MS + 20)

const BASIC: Readonly<Record<string, Case>> = {
  'a value comes back as it was set': async (store) => {
    assert.equal(await store.set('k', 'v'), true)
    assert.equal(await store.get('k'), 'v')
  },
  'a missing key is undefined': async (store) => assert.equal(await store.get('none'), undefined),
  'delete() is true for what was there, and it is gone': async (store) => {
    await store.set('k', 'v')
    assert.equal(await store.delete('k'), true)
    assert.equal(await store.get('k'), undefined)
    assert.equal(await store.has('k'), false)
  },
  'delete() is false for what was not': async (store) => assert.equal(await store.delete('none'), false),
  'has() is true for what is there and false for what is not': async (store) => {
    await store.set('k', 'v')
    assert.deepEqual([await store.has('k'), await store.has('none')], [true, false])
  },
  'clear() leaves nothing': async (store) => {
    await store.setMany([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ])
    await store.clear()
    assert.deepEqual(await store.getMany(['a', 'b']), [undefined, undefined])
  },
  'disconnect() resolves': (store) => store.disconnect(),
  'a namespace may be set and taken away': (store) => {
    assert.equal(store.namespace, undefined)
    store.namespace = 'one'
    assert.equal(store.namespace, 'one')
    store.namespace = undefined
    assert.equal(store.namespace, undefined)
  },
  'expires is declared, and every method is there': ({ capabilities }) => {
    assert.equal(capabilities.expires, true)
    assert.ok(Object.values(capabilities.methods).every(({ exists }) => exists))
  },
}

const MANY: Readonly<Record<string, Case>> = {
  'setMany() stores all and says so for each': async (store) => {
    const entries = ['a', 'b', 'c'].map((key) => ({ key, value: key.toUpperCase() }))
    assert.deepEqual(await store.setMany(entries), [true, true, true])
    assert.deepEqual(await store.getMany(['c', 'a', 'b']), ['C', 'A', 'B'])
  },
  'of no keys nothing becomes nothing': async (store) => {
    const { length } = await store.setMany([])
    assert.equal(length, 0)
    assert.deepEqual([await store.getMany([]), await store.hasMany([]), await store.deleteMany([])], [[], [], []])
  },
  'getMany() is undefined where there is nothing': async (store) => {
    await store.set('a', '1')
    assert.deepEqual(await store.getMany(['none', 'a', 'nor here']), [undefined, '1', undefined])
  },
  'hasMany() answers for each': async (store) => {
    await store.set('a', '1')
    await store.set('b', '2')
    assert.deepEqual(await store.hasMany(['a', 'b', 'none']), [true, true, false])
  },
  'deleteMany() answers for each, and they are gone': async (store) => {
    await store.set('a', '1')
    await store.set('b', '2')
    assert.deepEqual(await store.deleteMany(['a', 'none', 'b']), [true, false, true])
    assert.deepEqual(await store.getMany(['a', 'b']), [undefined, undefined])
  },
}

const LIVES: Readonly<Record<string, Case>> = {
  'a value ends when it was told to, for get() and has()': async (store) => {
    await store.set('k', 'v', inFuture())
    assert.equal(await store.get('k'), 'v')
    await over()
    assert.deepEqual([await store.get('k'), await store.has('k')], [undefined, false])
  },
  'what is over when it is set is not there, nor what it was to replace': async (store) => {
    await store.set('k', 'old')
    assert.equal(await store.set('k', 'v', Date.now() - 1000), true)
    assert.equal(await store.get('k'), undefined)
  },
  'setMany() gives each its own end': async (store) => {
    await store.setMany([
      { key: 'short', value: '1', expires: inFuture() },
      { key: 'long', value: '2' },
    ])
    await over()
    assert.deepEqual(await store.getMany(['short', 'long']), [undefined, '2'])
  },
  'a value may be told to live longer than timers count': async (store) => {
    await store.set('k', 'v', Date.now() + 90 * 86_400_000)
    assert.equal(await store.get('k'), 'v')
  },
}

const ITERATOR: Readonly<Record<string, Case>> = {
  'iterator() yields all pairs of its namespace, without it, and no others': async (store) => {
    await store.set('elsewhere', '0')
    store.namespace = 'a*'
    await store.set('k1', '1')
    await store.set('k2', '2')
    assert.deepEqual(await pairsOf(store), [
      ['k1', '1'],
      ['k2', '2'],
    ])
    await store.clear()
    assert.deepEqual(await pairsOf(store), [])
    store.namespace = undefined
    assert.equal(await store.get('elsewhere'), '0', 'clear() keeps to the namespace')
  },
  'iterator() leaves out what is over': async (store) => {
    await store.set('short', '1', inFuture())
    await store.set('long', '2')
    await over()
    assert.deepEqual(await pairsOf(store), [['long', '2']])
  },
}

export const KEYV6_CASES: readonly (readonly [name: string, run: Case])[] = Object.entries({
  ...BASIC,
  ...MANY,
  ...LIVES,
  ...ITERATOR,
})

async function pairsOf(store: Keyv6Store): Promise<unknown[]> {
  const pairs: [string, unknown][] = []
  for await (const pair of store.iterator()) pairs.push(pair)
  return pairs.toSorted(([a], [b]) => a.localeCompare(b))
}
