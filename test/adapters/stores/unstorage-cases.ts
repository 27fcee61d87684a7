/** What unstorage asks of a driver: its suite is not published, so these are cases of our own, one for each thing that it looks at. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { restoreSnapshot, snapshot, type Storage } from 'unstorage'

type Case = (storage: Storage) => Promise<void>

const ITEMS: Readonly<Record<string, Case>> = {
  'a snapshot is restored': async (storage) => {
    await restoreSnapshot(storage, { first: 'one', 'deep:second': 2 })
    assert.equal(await storage.getItem('first'), 'one')
    assert.deepEqual(await snapshot(storage, ''), { first: 'one', 'deep:second': 2 })
  },
  'at first there is nothing': async (storage) => {
    assert.equal(await storage.hasItem('a:b'), false)
    assert.equal(await storage.getItem('a:b'), null)
    assert.deepEqual(await storage.getKeys(), [])
  },
  'an item is there once it is set; a query string is no part of its key': async (storage) => {
    await storage.setItem('a:b', 'text')
    await storage.setItem('a:c?x=1', 'other')
    assert.equal(await storage.hasItem('a:b'), true)
    assert.equal(await storage.getItem('a:b'), 'text')
    assert.equal(await storage.getItem('a:c?x=2'), 'other')
  },
  'an item is gone once it is removed': async (storage) => {
    await storage.setItem('a', 'text')
    await storage.removeItem('a', false)
    assert.equal(await storage.hasItem('a'), false)
    assert.equal(await storage.getItem('a'), null)
  },
  'undefined removes': async (storage) => {
    await storage.setItem('a', 'text')
    await storage.setItem('a', undefined as never)
    assert.equal(await storage.hasItem('a'), false)
  },
  'an item ends with its ttl, which is in seconds': async (storage) => {
    await storage.setItem('a', 'text', { ttl: 0.25 })
    assert.equal(await storage.getItem('a'), 'text')
    await delay(270)
    assert.equal(await storage.getItem('a'), null)
    assert.deepEqual(await storage.getKeys(), [])
  },
  'several are set and had at once': async (storage) => {
    await storage.setItems([
      { key: 'a:1', value: 'one' },
      { key: 'a:2', value: 'two' },
    ])
    assert.deepEqual(await storage.getItems([{ key: 'a:2' }, 'a:1', 'a:none']), [
      { key: 'a:2', value: 'two' },
      { key: 'a:1', value: 'one' },
      { key: 'a:none', value: null },
    ])
  },
  'what was noted about an item is had with it': async (storage) => {
    await storage.setItem('a', 'text')
    await storage.setMeta('a', { mtime: new Date(0), by: 'anna' })
    assert.deepEqual({ ...(await storage.getMeta('a')) }, { mtime: new Date(0), by: 'anna' })
    await storage.removeItem('a', { removeMeta: true })
    assert.deepEqual({ ...(await storage.getMeta('a')) }, {})
  },
}

const KEYS: Readonly<Record<string, Case>> = {
  'keys are listed, all or below one': async (storage) => {
    for (const key of ['s1:a', 's1:b', 's10:a', 's2*:a']) await storage.setItem(key, 'text')
    assert.deepEqual((await storage.getKeys()).toSorted(), ['s10:a', 's1:a', 's1:b', 's2*:a'])
    assert.deepEqual((await storage.getKeys('s1')).toSorted(), ['s1:a', 's1:b'])
    assert.deepEqual(await storage.getKeys('s2*'), ['s2*:a'])
  },
  'keys are listed to a depth': async (storage) => {
    for (const key of ['top', 'one:a', 'one:two:a', 'one:two:b']) await storage.setItem(key, 'text')
    const depths = await Promise.all([0, 1, 2].map((maxDepth) => storage.getKeys(undefined, { maxDepth })))
    assert.deepEqual(
      depths.map((keys) => keys.toSorted()),
      [['top'], ['one:a', 'top'], ['one:a', 'one:two:a', 'one:two:b', 'top']],
    )
  },
  'clear() leaves nothing, of nothing too, and what is not below where it was told to': async (storage) => {
    await storage.clear()
    for (const key of ['a:1', 'b:1']) await storage.setItem(key, 'text')
    // As unstorage does for what is mounted deeper.
    await storage.getMount().driver.clear?.('a:', {})
    assert.deepEqual(await storage.getKeys(), ['b:1'])
    await storage.clear()
    assert.deepEqual(await storage.getKeys(), [])
  },
}

const VALUES: Readonly<Record<string, Case>> = {
  'objects, and what has a toJSON()': async (storage) => {
    await storage.setItem('object', { deep: ['works'] })
    assert.deepEqual(await storage.getItem('object'), { deep: ['works'] })
    await storage.setItem('text', { toJSON: () => 'as a text' })
    assert.equal(await storage.getItem('text'), 'as a text')
    await storage.setItem('other', { toJSON: () => ({ as: 'an object' }) })
    assert.deepEqual(await storage.getItem('other'), { as: 'an object' })
  },
  'true, false, 0': async (storage) => {
    for (const value of [true, false, 0]) {
      await storage.setItem('k', value)
      assert.equal(await storage.getItem('k'), value)
    }
  },
  'what cannot be a text is refused': async (storage) => {
    await assert.rejects(storage.setItem('k', new Map()), /Cannot stringify/)
  },
  bytes: async (storage) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
    await storage.setItemRaw('k', bytes)
    const back = await storage.getItemRaw<Uint8Array>('k')
    assert.deepEqual(new Uint8Array(back ?? []), bytes)
  },
}

export const UNSTORAGE_CASES: readonly (readonly [name: string, run: Case])[] = Object.entries({
  ...ITEMS,
  ...KEYS,
  ...VALUES,
})
