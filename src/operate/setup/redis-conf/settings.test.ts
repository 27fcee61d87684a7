import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATA_ROLES, linesOf, maxMemoryMb, settingsFor } from './settings.ts'

const GB = 1024 ** 3

test('settingsFor() throws nothing away that is not a cache, and never gives Redis all the memory', () => {
  for (const role of DATA_ROLES) {
    const settings = new Map(settingsFor({ role, memoryBytes: GB }).map(({ name, values }) => [name, values]))
    const [policy = ''] = settings.get('maxmemory-policy') ?? []
    assert.equal(policy.startsWith('allkeys'), role === 'cache', `${role}: ${policy}`)
    assert.deepEqual(settings.get('appendonly'), [role === 'cache' ? 'no' : 'yes'], role)
    assert.ok(maxMemoryMb(role, GB) <= 768, role)
    assert.deepEqual(settings.get('protected-mode'), ['yes'])
  }
})

test('settingsFor() gives each line its reason', () => {
  for (const role of DATA_ROLES)
    for (const { name, why } of settingsFor({ role, memoryBytes: GB, replicated: true }))
      assert.match(why, /^[A-Z\d].+\.$/, `${role}: ${name}`)
  const lines = linesOf(settingsFor({ role: 'queue', memoryBytes: GB }))
  assert.equal(lines.filter(({ line }) => line.startsWith('save ')).length, 3)
})

test('settingsFor() keeps a replaced master from taking writes', () => {
  const names = settingsFor({ role: 'queue', memoryBytes: GB, replicated: true }).map(({ name }) => name)
  assert.ok(names.includes('min-replicas-to-write'))
  assert.ok(!settingsFor({ role: 'queue', memoryBytes: GB }).some(({ name }) => name === 'min-replicas-to-write'))
})
