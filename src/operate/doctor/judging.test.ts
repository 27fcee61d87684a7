import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known, notPermitted, type Evidence } from '../evidence.ts'
import { ok, type DoctorCheck, type PlainCheck } from './check.ts'
import type { EvidenceContext, EvidenceName } from './evidence/context.ts'
import { findingsOf } from './judging.ts'

function holding(evidence: Partial<Record<EvidenceName, Evidence<unknown>>>): Pick<EvidenceContext, 'evidence'> {
  // What a test says is what there is.
  return { evidence: async (name) => (evidence[name] ?? notPermitted(`no ${name}`)) as never }
}

const about = { layer: 'host', title: 'overcommit', why: 'a test', severity: 'warn' } as const
const plain: PlainCheck<'overcommit'> = {
  ...about,
  id: 'host.plain',
  needs: ['overcommit'],
  judge: ({ overcommit }) => ok(`it is ${overcommit}`),
}

test('findingsOf() says what the check says', async () => {
  const [finding] = await findingsOf(plain, holding({ overcommit: known(1) }))
  assert.deepEqual([finding?.check, finding?.state, finding?.summary], ['host.plain', 'ok', 'it is 1'])
})

test('findingsOf() never calls a check whose evidence is missing, and never says ok for it', async () => {
  for (const [kind, state] of [
    ['not-permitted', 'not-permitted'],
    ['not-available', 'not-available'],
    ['failed', 'error'],
  ] as const) {
    const [finding, ...others] = await findingsOf(plain, holding({ overcommit: { kind, detail: 'so it is' } }))
    assert.deepEqual([finding?.state, finding?.summary, others], [state, 'so it is', []])
  }
})

test('findingsOf() hands over what a check only wants where it is known', async () => {
  const wanting: DoctorCheck<'overcommit', 'info'> = {
    ...plain,
    wants: ['info'],
    judge: ({ info }) => ok(info?.get('role') ?? 'unknown'),
  }
  const there = await findingsOf(wanting, holding({ overcommit: known(1), info: known(new Map([['role', 'master']])) }))
  const away = await findingsOf(wanting, holding({ overcommit: known(1) }))
  assert.deepEqual([there[0]?.summary, away[0]?.summary], ['master', 'unknown'])
})

test('findingsOf() tells a check that broke as an error of this check', async () => {
  const broken: PlainCheck<'overcommit'> = {
    ...plain,
    judge: () => {
      throw new Error('no such field')
    },
  }
  const [finding] = await findingsOf(broken, holding({ overcommit: known(1) }))
  assert.deepEqual([finding?.state, finding?.summary], ['error', 'This check broke: no such field'])
})
