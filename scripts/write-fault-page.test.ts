import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FAULTS } from '../src/link/faults.ts'
import { root } from './project.ts'
import { faultPage } from './write-fault-page.ts'

test('docs/faults.md is what the fault table says; else run: node scripts/write-fault-page.ts', () => {
  assert.equal(readFileSync(`${root}/docs/faults.md`, 'utf8'), faultPage())
})

test('faultPage() has a heading for every fault, for reasons link to it', () => {
  const headings = new Set(faultPage().match(/^### \S+$/gm))
  for (const { code } of FAULTS) assert.ok(headings.has(`### ${code}`), code)
})
