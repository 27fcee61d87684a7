import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetOfUrl } from '../targets.ts'
import type { DoctorFinding } from './report.ts'
import { secretsOf, withoutSecrets } from './secrets.ts'

const FINDING: DoctorFinding = {
  check: 'host.test',
  layer: 'host',
  title: 'a test',
  why: 'a test',
  state: 'warn',
  summary: 'The URL redis://:p@ss(1)@host stands there.',
  evidence: ['requirepass redis', 'p%40ss(1)', 'title\u001B]0;x\u0007'],
  fix: { text: 'Ask it.', commands: ['redis-cli -a p@ss(1) PING'] },
  undo: undefined,
}

test('withoutSecrets() takes every known password out, in whatever spelling, and leaves words that hold one', () => {
  const target = targetOfUrl('redis://:p%40ss(1)@host', 'argument 1')
  assert.ok(target.kind === 'redis')
  const secrets = secretsOf(
    target,
    new Map([
      ['requirepass', 'redis'],
      ['masterauth', ''],
    ]),
  )
  assert.deepEqual(secrets, ['p@ss(1)', 'redis'])
  const { summary, evidence, fix } = withoutSecrets(FINDING, secrets)
  assert.equal(summary, 'The URL ***://:***@host stands there.')
  assert.deepEqual(evidence, ['requirepass ***', '***', 'title ]0;x '])
  assert.deepEqual(fix?.commands, ['redis-cli -a *** PING'])
})
