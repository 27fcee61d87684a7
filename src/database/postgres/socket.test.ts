import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedLookup } from './socket.ts'

type Hear = Parameters<Parameters<typeof sharedLookup>[0]>[1]

test('sharedLookup() asks once for everybody, and again for whoever comes later', () => {
  const asked: string[] = []
  const hears: Hear[] = []
  const lookup = sharedLookup((host, hear) => {
    asked.push(host)
    hears.push(hear)
  })
  const heard: unknown[] = []
  lookup('db', { all: true }, (_error, found) => heard.push(found))
  lookup('db', {}, (_error, address, family) => heard.push([address, family]))
  lookup('other', {}, () => undefined)
  assert.deepEqual([asked, heard], [['db', 'other'], []])
  const found = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]
  hears[0]?.(null, found)
  assert.deepEqual(heard, [found, ['::1', 6]])
  let failure: string | undefined
  lookup('db', {}, (error) => {
    failure = error?.code
  })
  // As the system tells it: an error alone.
  hears[2]?.(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
  assert.deepEqual([asked, failure], [['db', 'other', 'db'], 'ENOTFOUND'])
})
