import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DoctorCheck } from './check.ts'
import { merged } from './cluster-masters.ts'
import type { DoctorFinding } from './report.ts'

const about = { title: '', why: '', severity: 'warn', needs: [], judge: () => [] } as const
const MEMORY: DoctorCheck = { ...about, id: 'memory.limit', layer: 'memory' }
const HOST: DoctorCheck = { ...about, id: 'host.swap', layer: 'host' }

function finding(check: DoctorCheck, state: DoctorFinding['state'], summary = ''): DoctorFinding {
  const { id, layer } = check
  return { check: id, layer, title: '', why: '', state, summary, evidence: ['e'], fix: undefined, undo: undefined }
}

function states(findings: readonly DoctorFinding[]): string[] {
  return findings.map(({ check, state, evidence }) => `${check} ${state} ${evidence.join(', ')}`)
}

test('merged() tells what is wrong once, with the masters it is true of, and leaves the others out', () => {
  const all = [
    { place: 'a:1', findings: [finding(MEMORY, 'ok'), finding(HOST, 'warn')] },
    { place: 'b:1', findings: [finding(MEMORY, 'warn', 'no limit')] },
    { place: 'c:1', findings: [finding(MEMORY, 'warn', 'no limit')] },
    { place: 'd:1', findings: [finding(MEMORY, 'warn', 'another limit')] },
    { place: 'e:1', findings: [finding(MEMORY, 'not-available')] },
  ]
  assert.deepEqual(states(merged([HOST, MEMORY], all)), [
    'host.swap warn e',
    'memory.limit warn node b:1, c:1, e',
    'memory.limit warn node d:1, e',
  ])
})

test('merged() tells what the entry node says where nothing is wrong anywhere', () => {
  const all = [
    { place: 'a:1', findings: [finding(MEMORY, 'ok')] },
    { place: 'b:1', findings: [finding(MEMORY, 'not-available')] },
  ]
  assert.deepEqual(states(merged([MEMORY], all)), ['memory.limit ok e'])
})
