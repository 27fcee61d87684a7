import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DOCTOR_LAYERS } from '../check.ts'
import { SOURCES } from '../evidence/sources.ts'
import { CATALOGUE } from './catalogue.ts'

test('every check has an id of its own that begins with its layer, and says why it matters', () => {
  const ids = CATALOGUE.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const { id, layer, title, why } of CATALOGUE) {
    assert.match(id, new RegExp(`^${layer}\\.[a-z0-9-]+$`))
    assert.ok(DOCTOR_LAYERS.includes(layer))
    assert.ok(title.length > 0 && why.endsWith('.'), id)
  }
})

test('every check needs evidence that has a source', () => {
  for (const { id, needs, wants = [] } of CATALOGUE) {
    assert.ok(needs.length > 0, id)
    for (const name of [...needs, ...wants]) assert.ok(Object.hasOwn(SOURCES, name), `${id}: ${name}`)
  }
})
