import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completed, missingEntries } from './lock.ts'

const tool = {
  version: '1.2.3',
  dev: true,
  optionalDependencies: { '@tool/binding-linux-x64-musl': '1.2.3', '@tool/darwin-arm64': '1.2.3' },
}

test('missingEntries() finds optional dependencies of other platforms and says where they belong', () => {
  assert.deepEqual(missingEntries({ packages: { 'node_modules/tool': tool } }), {
    'node_modules/@tool/binding-linux-x64-musl': {
      version: '1.2.3',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    },
    'node_modules/@tool/darwin-arm64': { version: '1.2.3', dev: true, optional: true, os: ['darwin'], cpu: ['arm64'] },
  })
})

test('completed() adds what is missing and leaves the rest alone', () => {
  const lock = { name: 'x', packages: { '': { version: '0' }, 'node_modules/tool': tool } }
  const whole = completed(lock)
  assert.deepEqual(Object.keys(whole.packages), [
    '',
    'node_modules/@tool/binding-linux-x64-musl',
    'node_modules/@tool/darwin-arm64',
    'node_modules/tool',
  ])
  assert.deepEqual(missingEntries(whole), {})
  assert.deepEqual(completed(whole), whole)
  assert.equal(whole['name'], 'x')
})

test('missingEntries() does not guess', () => {
  const packages = { 'node_modules/tool': { optionalDependencies: { 'some-native': '1.0.0' } } }
  assert.throws(() => missingEntries({ packages }), /Cannot tell the platform of some-native/)
})
