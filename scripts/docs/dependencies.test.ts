import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { manifest, root } from '../project.ts'

test('ARCHITECTURE.md names each dependency with the version that package.json pins, and no other', () => {
  const page = readFileSync(`${root}/ARCHITECTURE.md`, 'utf8')
  const section = page.slice(page.indexOf('\n## Dependencies'))
  const told = [...section.matchAll(/^\| `([^`]+)` \| ([^ ]+) \|/gm)].map(([, name, version]) => [name, version])
  const pinned = Object.entries({ ...manifest.devDependencies, ...manifest.dependencies })
  const versions = pinned.map(([name, version]) => [name, version.replace(/^npm:.*@/, '')])
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(versions))
})
