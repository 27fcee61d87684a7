import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCycles } from './cycles.ts'
import { readSource } from './imports.ts'
import { emptyParts, violationsIn } from './rules.ts'
import { OUTSIDE, SOURCE } from './table.ts'

const entries = ['src/link/index.ts', 'src/link/drivers/ioredis.ts']

/** Checks a tree given as path → text and returns "path:line message". */
function check(files: Record<string, string>): string[] {
  const tree = { files: new Map(Object.entries(files)), entries, packages: ['@redis/client', 'pg'] }
  return violationsIn(tree).map(({ path, line, message }) => `${path}:${line} ${message}`)
}

const link = { 'src/link/index.ts': `export { createLink } from './link.ts'`, 'src/link/link.ts': '' }

test('violationsIn() accepts what the table allows', () => {
  assert.deepEqual(
    check({
      ...link,
      'src/errors.ts': '',
      'src/telemetry/channels.ts': `import type { Reason } from '../errors.ts'`,
      'src/cache/cache.ts': `import { createLink } from '../link/index.ts'\nimport { channels } from '../telemetry/channels.ts'`,
      'src/cache/cache.test.ts': `import { RedisServer } from '../../test/support/redis-server.ts'`,
      'src/database/postgres.ts': `import { Pool } from 'pg'\nimport { readFileSync } from 'node:fs'`,
      'src/evenkeel.ts': `import { createCache } from './cache/index.ts'\nimport { ioredis } from './link/drivers/ioredis.ts'`,
      'examples/orders/main.ts': `import { createEvenkeel } from 'evenkeel'\nimport './routes.ts'\nimport fastify from 'fastify'`,
      'test/outage/link.test.ts': `import { link } from '../../src/link/link.ts'`,
    }),
    [],
  )
})

test('violationsIn() finds a forbidden import, at run time, as a type and inside a type', () => {
  const texts = [
    `import { x } from '../sessions/index.ts'`,
    `import type { X } from '../sessions/index.ts'`,
    `export * from '../sessions/index.ts'`,
    `const x = await import('../sessions/index.ts')`,
    `let x: import('../sessions/index.ts').X`,
  ]
  for (const text of texts) {
    const [found = ''] = check({ 'src/cache/cache.ts': `\n${text}`, 'src/sessions/index.ts': '' })
    assert.match(
      found,
      /^src\/cache\/cache\.ts:2 cache may not import sessions \(src\/sessions\/index\.ts\); allowed: /,
    )
  }
})

test('violationsIn() lets telemetry import types of a role, and only types', () => {
  const index = { 'src/cache/index.ts': `export { createCache } from './cache.ts'` }
  assert.deepEqual(check({ ...index, 'src/telemetry/report.ts': `import type { C } from '../cache/index.ts'` }), [])
  const [found = ''] = check({ ...index, 'src/telemetry/report.ts': `import { createCache } from '../cache/index.ts'` })
  assert.match(found, /telemetry may not import cache .*; only its types/)
})

test('violationsIn() finds an entry past an index.ts', () => {
  const [found = ''] = check({ ...link, 'src/cache/cache.ts': `import { link } from '../link/link.ts'` })
  assert.match(
    found,
    /^src\/cache\/cache\.ts:1 'link' is entered through its index\.ts, not through src\/link\/link\.ts/,
  )
})

test('violationsIn() finds an index.ts with code in it', () => {
  const expected = ["src/cache/index.ts:1 an index.ts holds only 'export … from' lines"]
  assert.deepEqual(check({ 'src/cache/index.ts': `export { a } from './a.ts'\nexport const b = 1` }), expected)
  assert.deepEqual(check({ 'src/cache/index.ts': `import { a } from './a.ts'\nexport { a }` }), expected)
})

test('violationsIn() finds folders and files that the table does not know', () => {
  const found = check({ 'src/utils/x.ts': '', 'src/helpers.ts': '', 'tools/x.ts': '' })
  assert.deepEqual(
    found.map((text) => text.split(' is not')[0]),
    ["src/utils/x.ts:1 'utils'", "src/helpers.ts:1 'helpers'", "tools/x.ts:1 'tools'"],
  )
})

test('emptyParts() finds rows of the table that speak of nothing', () => {
  const parts = [
    ...Object.keys(SOURCE).map((part) => `src/${part}.ts`),
    ...Object.keys(OUTSIDE).map((part) => `${part}/x.ts`),
  ]
  assert.deepEqual(emptyParts(parts), [])
  assert.deepEqual(emptyParts(parts.filter((path) => path !== 'src/cache.ts' && path !== 'bench/x.ts')), [
    'cache',
    'bench',
  ])
})

test('violationsIn() finds a cycle, also one of types only', () => {
  const found = check({
    'src/link/a.ts': `import { b } from './b.ts'`,
    'src/link/b.ts': `import type { C } from './c.ts'`,
    'src/link/c.ts': `export type { A } from './a.ts'`,
  })
  assert.deepEqual(found, [
    'src/link/a.ts:1 import cycle: src/link/a.ts -> src/link/b.ts -> src/link/c.ts -> src/link/a.ts',
  ])
})

test('violationsIn() finds a package that users would not get', () => {
  const [found = '', ...more] = check({
    'src/link/link.ts': `import { z } from 'zod/v4'`,
    'src/link/x.test.ts': `import 'zod'`,
  })
  assert.equal(found, "src/link/link.ts:1 'zod' is neither a dependency nor a peer of the package")
  assert.deepEqual(more, [])
})

test('violationsIn() keeps examples and benchmarks at the public door', () => {
  for (const folder of ['examples', 'bench']) {
    const [found = ''] = check({ [`${folder}/x.ts`]: `import { link } from '../src/link/index.ts'` })
    assert.match(found, new RegExp(`^${folder}/x\\.ts:1 ${folder} may not import link`))
  }
})

test('violationsIn() keeps the source away from its tests, its examples and its own public name', () => {
  assert.match(check({ 'src/link/a.ts': `import '../../test/support/wait.ts'` })[0] ?? '', /link may not import test/)
  assert.match(check({ 'src/link/a.ts': `import 'evenkeel/cache'` })[0] ?? '', /by its public name/)
  assert.match(check({ 'src/link/a.test.ts': `import '../../examples/x.ts'` })[0] ?? '', /link may not import examples/)
})

test('violationsIn() allows an adapter one role', () => {
  const one = `import { createCache } from '../cache/index.ts'`
  const two = `${one}\nimport { createLimits } from '../limits/index.ts'`
  assert.deepEqual(check({ 'src/adapters/keyv.ts': one }), [])
  assert.deepEqual(check({ 'src/adapters/keyv.ts': two }), [
    'src/adapters/keyv.ts:1 one role per file, here are cache and limits',
  ])
})

test('readSource() is not misled by comments, strings, templates and regular expressions', () => {
  const text = `
    // import a from './comment.ts'
    const text = "import b from './string.ts'" + \`import c from './template.ts'\` + /import d from '.\\/regex.ts'/
    import { e } from './real.ts'`
  assert.deepEqual(readSource('src/x.ts', text).imports, [{ specifier: './real.ts', typeOnly: false, line: 4 }])
})

test('readSource() refuses a text that is no TypeScript', () => {
  assert.throws(() => readSource('src/x.ts', 'import {'), /src\/x\.ts cannot be parsed/)
})

test('findCycles() is empty exactly when there is no cycle', () => {
  const graph = (edges: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(edges))
  assert.deepEqual(findCycles(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })), [])
  assert.deepEqual(findCycles(graph({ a: ['a'] })), [['a', 'a']])
  assert.deepEqual(findCycles(graph({ a: ['b'], b: ['c'], c: ['b'] })), [['b', 'c', 'b']])
})
