import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { unifiedDiff } from './diff.ts'

const names = { before: 'a', after: 'a' }

test('unifiedDiff() shows a change with three lines around it', () => {
  const before = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n'
  assert.equal(
    unifiedDiff(before, before.replace('five', 'FIVE'), names),
    '--- a\n+++ a\n@@ -2,7 +2,7 @@\n two\n three\n four\n-five\n+FIVE\n six\n seven\n eight',
  )
})

test('unifiedDiff() says that a file is new, and nothing where nothing changes', () => {
  assert.equal(unifiedDiff(undefined, 'one\n', names), '--- /dev/null\n+++ a\n@@ -0,0 +1 @@\n+one')
  assert.equal(unifiedDiff('one\n', 'one\n', names), '')
})

test('unifiedDiff() is understood by git apply, whatever the two texts are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-diff-'))
  const file = join(directory, 'a')
  let seed = 7
  const chance = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const text = (): string => {
    const lines = Array.from({ length: chance(40) }, () => String(chance(6)))
    return lines.join('\n') + (lines.length === 0 || chance(4) === 0 ? '' : '\n')
  }
  try {
    for (let round = 0; round < 60; round++) {
      const [before, after] = [text(), text()]
      if (before === after) continue
      writeFileSync(file, before)
      const input = `${unifiedDiff(before, after, names)}\n`
      execFileSync('git', ['apply', '-p0', '--unidiff-zero', '-'], { cwd: directory, input })
      assert.equal(readFileSync(file, 'utf8'), after, `round ${round}`)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
