import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Diagnosis } from '../diagnosis.ts'
import type { DoctorCheck } from './check.ts'
import type { DoctorFinding } from './report.ts'
import { verdictOf } from './verdict.ts'

function diagnosis(code?: string): Diagnosis {
  const finding = code === undefined ? undefined : { code, error: undefined, meaning: '', nextStep: '' }
  const layer = {
    name: 'tcp',
    state: code === undefined ? 'ok' : 'failed',
    detail: '',
    ms: 1,
    facts: {},
    finding,
  } as const
  return { kind: 'redis', place: '', source: '', served: code === undefined, ms: 1, layers: [layer] }
}

function finding(check: string, state: DoctorFinding['state']): DoctorFinding {
  const about = { layer: 'host', title: '', why: '', evidence: [], fix: undefined, undo: undefined } as const
  return { check, state, summary: `${check} is to blame`, ...about }
}

function check(id: string, ...explains: string[]): DoctorCheck {
  return { id, layer: 'host', title: '', why: '', severity: 'fail', needs: [], explains, judge: () => [] }
}

test('verdictOf() prefers what explains the fault to the fault, and a failure to a warning', () => {
  const catalogue = [check('connection.served'), check('host.bind', 'refused'), check('memory.policy')]
  const served = finding('connection.served', 'fail')
  const bind = finding('host.bind', 'fail')
  const cases: readonly (readonly [DoctorFinding[], string | undefined, string | undefined])[] = [
    [[served, bind], 'refused', 'host.bind'],
    [[served, bind], 'wrong-password', 'connection.served'],
    [[served, finding('host.bind', 'warn')], 'refused', 'connection.served'],
    [[finding('host.bind', 'warn'), finding('memory.policy', 'fail')], undefined, 'memory.policy'],
    [[finding('host.bind', 'info'), finding('memory.policy', 'warn')], undefined, 'memory.policy'],
    [[finding('host.bind', 'info'), finding('memory.policy', 'not-permitted')], undefined, undefined],
  ]
  for (const [findings, code, expected] of cases)
    assert.equal(verdictOf(findings, diagnosis(code), catalogue)?.check, expected)
})
