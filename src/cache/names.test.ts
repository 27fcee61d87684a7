import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textCodec } from './codec.ts'
import { headerText, markOf, readHeader } from './envelope.ts'
import { broadGlob, escapeGlob, globTest } from './glob.ts'
import { KeyNames } from './keys.ts'
import { roughBytes } from './size.ts'

const names = new KeyNames('evenkeel:cache:', 'products')

test('any key comes back from its name, and is never taken for one of our own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
      assert.deepEqual(names.read(names.entry(key)), { kind: 'entry', key })
    }),
  )
  for (const key of [':state', ':tag:sale', '::', ':'])
    assert.deepEqual(names.read(names.entry(key)), { kind: 'entry', key })
  assert.deepEqual(names.read(names.state), { kind: 'state' })
  assert.deepEqual(names.read(names.tag('sale')), { kind: 'tag', tag: 'sale' })
  assert.equal(names.read('evenkeel:cache:other:p1'), undefined)
  assert.equal(names.read(names.guard('p1')), undefined)
})

test('any header comes back from its line', () => {
  const number = fc.integer({ min: 0, max: 2 ** 50 })
  const header = fc.record(
    {
      generation: number,
      clock: number,
      token: fc.stringMatching(/^[\w.-]+$/),
      storedAt: number,
      ttlMs: number,
      l1TtlMs: fc.option(number, { nil: undefined }),
      schema: fc.stringMatching(/^[\w.-]*$/),
      codec: fc.stringMatching(/^[\w.-]+$/),
      tags: fc.array(fc.string({ minLength: 1 })),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(header, (one) => {
      const line = headerText(one)
      assert.equal(line.indexOf('\n'), line.length - 1)
      const read = readHeader(line.slice(0, -1))
      assert.deepEqual(read?.header, one)
      assert.ok(line.startsWith(read?.seen ?? 'nothing'))
      assert.ok(line.startsWith(markOf(one.generation)))
      assert.ok(!line.startsWith(markOf(one.generation + 1)))
    }),
  )
  for (const line of [
    '',
    'e1',
    'e1,1,2',
    'x,1,1,t,1,1,,json',
    'e1,1,1,t,-,1,,json',
    'e1,1,1,t,1,1,,json,%',
    'e1,1,1,t,1,1.,,json',
  ])
    assert.equal(readHeader(line), undefined, line)
})

test('a text is kept as it is, and anything comes back from the text codec as it was', () => {
  assert.equal(textCodec.encode('{"as":"it is"}'), '{"as":"it is"}')
  const values = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\0{}', '\ud800', ''), fc.jsonValue())
  fc.assert(
    fc.property(values, (value) => {
      const stored = Buffer.from(textCodec.encode(value)).toString()
      assert.deepEqual(textCodec.decode(stored), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('globs match as those of Redis do', () => {
  const cases: readonly [pattern: string, matching: readonly string[], others: readonly string[]][] = [
    ['user:*', ['user:', 'user:1:x', 'user:\n'], ['users:1', 'xuser:1']],
    ['h?llo', ['hello', 'hällo'], ['hllo', 'heello']],
    ['h[ae]llo', ['hallo', 'hello'], ['hillo']],
    ['h[^e]llo', ['hallo'], ['hello']],
    ['h[a-c]llo', ['hbllo'], ['hdllo']],
    ['h[c-a]llo', ['hbllo'], ['hdllo']],
    [String.raw`h\*llo`, ['h*llo'], ['hello']],
    [String.raw`[\]]`, [']'], ['x']],
    ['a.b+(c)', ['a.b+(c)'], ['axb+(c)']],
  ]
  for (const [pattern, matching, others] of cases) {
    const test = globTest(pattern)
    for (const key of matching) assert.ok(test(key), `${pattern} matches ${key}`)
    for (const key of others) assert.ok(!test(key), `${pattern} does not match ${key}`)
  }
})

test('Redis is asked for at least what a glob matches', () => {
  const cases = {
    'user:*': 'user:*',
    'us?r:*': 'us*',
    '[ab]*': '*',
    [String.raw`\?x?`]: String.raw`\?x*`,
    '*:[1]': '*:*',
  }
  for (const [pattern, broad] of Object.entries(cases)) assert.equal(broadGlob(pattern), broad)
})

test('any text that is escaped matches itself alone', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, other) => {
      assert.equal(globTest(escapeGlob(text))(other), text === other)
      assert.ok(globTest(escapeGlob(text))(text))
    }),
  )
})

test('sizes are estimated in proportion, and what is very large is not walked through', () => {
  const small = roughBytes({ id: 'p1', price: 1 })
  assert.ok(small > 20 && small < 200)
  assert.ok(roughBytes('x'.repeat(1000)) >= 1000)
  assert.ok(roughBytes(Buffer.alloc(5000)) >= 5000)
  const rows = Array.from({ length: 100_000 }, (_, n) => ({ id: n, name: `row ${n}` }))
  assert.ok(roughBytes(rows) > 2_000_000)
  assert.equal(typeof roughBytes(null), 'number')
})
