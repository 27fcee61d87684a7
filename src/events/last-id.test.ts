import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareIds, lastIdOf, readLastId, together, type Progress } from './last-id.ts'

const PROGRESS: Progress = {
  stream: { incarnation: 'k3f9a2', at: '1770536955000-3' },
  rows: { incarnation: 'm7', at: '512' },
  ahead: new Map([
    ['9f8e7d6c5b4a', [{ from: 0, to: 17 }]],
    [
      '0a1b2c3d4e5f',
      [
        { from: 22, to: 40 },
        { from: 44, to: 44 },
      ],
    ],
  ]),
}

test('lastIdOf() is read back as it was written, and fits into a header', () => {
  const text = lastIdOf(PROGRESS)
  assert.equal(text, 'k3f9a2_1770536955000-3.m7_512.9f8e7d6c5b4a_17.0a1b2c3d4e5f_22-40.0a1b2c3d4e5f_44-44')
  assert.deepEqual(readLastId(text), PROGRESS)
  const nowhere = { stream: undefined, rows: undefined, ahead: new Map() }
  assert.deepEqual(readLastId(lastIdOf(nowhere)), nowhere)
})

test('lastIdOf() leaves out the publishers that came first when there are many', () => {
  const ahead = new Map(Array.from({ length: 20 }, (_, index) => [`p${index}`, [{ from: 0, to: index + 1 }]] as const))
  const read = readLastId(lastIdOf({ ...PROGRESS, ahead }))
  assert.deepEqual([...(read?.ahead.keys() ?? [])], [...ahead.keys()].slice(4))
})

test('together() is what somebody has got who has got both', () => {
  const at = (stream: string, ...ahead: [string, number, number][]): Progress => {
    const ranges = ahead.map(([origin, from, to]) => [origin, [{ from, to }]] as const)
    return { stream: { incarnation: 'a', at: stream }, rows: undefined, ahead: new Map(ranges) }
  }
  const both = together(at('10-0', ['p', 0, 4], ['q', 2, 3]), at('9-5', ['p', 5, 9], ['q', 7, 7]))
  assert.equal(lastIdOf(both), 'a_10-0.0.p_9.q_2-3.q_7-7')
  const anew = { ...at('1-0'), stream: { incarnation: 'b', at: '1-0' } }
  assert.equal(lastIdOf(together(at('10-0'), anew)), 'b_1-0.0', 'the stream that is there now')
})

test('readLastId() takes nothing that is none of ours', () => {
  for (const text of [
    '',
    '17',
    'x',
    '0',
    '0.',
    '.0',
    '0.0.',
    'a_1-1',
    'a_-.0',
    '0.0.a_b',
    'A_1-1.0',
    "0.0.a_1'; DROP",
    '0.'.repeat(2000),
  ])
    assert.equal(readLastId(text), undefined, text.slice(0, 20))
})

test('compareIds() goes by the numbers, not by the text', () => {
  assert.ok(compareIds('9-0', '10-0') < 0)
  assert.ok(compareIds('10-9', '10-10') < 0)
  assert.equal(compareIds('10-9', '10-9'), 0)
  assert.ok(compareIds('512', '9') > 0)
})
