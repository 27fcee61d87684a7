import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CATALOGUE } from '../../src/operate/index.ts'
import { doctorTable } from './doctor-checks.ts'

test('doctorTable() has a row for every check, and every row its four cells', () => {
  const lines = doctorTable().split('\n')
  for (const { id } of CATALOGUE) assert.equal(lines.filter((line) => line.startsWith(`| \`${id}\` |`)).length, 1, id)
  for (const line of lines) assert.equal(line.replaceAll('\\|', '').split('|').length, 6, line)
})
