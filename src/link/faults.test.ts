import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, FAULT_GROUPS, LINK_FAULTS, type Reaction, faultOfReply, reasonOf } from './faults.ts'
import { redacted } from './faults/describe.ts'

const REACTIONS: readonly Reaction[] = [
  'none',
  'down',
  'reconnect',
  'write-blocked',
  'not-ready',
  'over-quota',
  'misconfigured',
  'resp2',
  'identity',
]

test('FAULTS has each code once, in kebab-case', () => {
  const codes = FAULTS.map((fault) => fault.code)
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  )
  for (const code of codes) assert.match(code, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
})

test('FAULTS tells for each fault what it means and what to do, in whole sentences', () => {
  for (const { code, meaning, nextStep } of FAULTS) {
    assert.match(meaning, /^[A-Z][^\n]{15,110}\.$/, `${code}: ${meaning}`)
    assert.match(nextStep, /^[A-Z][^\n]{5,420}[.`]$/, `${code}: ${nextStep}`)
    assert.equal(meaning.match(/[.!?](?=\s[A-Z])/g), null, `${code}: the meaning is one sentence`)
    assert.equal((nextStep.match(/`/g) ?? []).length % 2, 0, `${code}: a backtick without its partner`)
  }
})

test('FAULTS holds no text that would be taken for a secret, save the example URLs', () => {
  for (const { code, meaning, nextStep } of FAULTS) {
    assert.equal(redacted(meaning), meaning, code)
    const withoutExamples = nextStep.replaceAll(/redis:\/\/(user)?:password@/g, 'redis://')
    assert.equal(redacted(withoutExamples), withoutExamples, code)
  }
})

test('FAULTS uses only reactions that the link knows, and every one of them', () => {
  const used = new Set(FAULTS.map((fault) => fault.reaction))
  assert.deepEqual([...used].toSorted(), [...REACTIONS].toSorted())
})

test('FAULTS lists each fault in one group only', () => {
  const all = Object.values(FAULT_GROUPS).flat()
  assert.equal(new Set(all).size, all.length)
  for (const fault of Object.values(LINK_FAULTS)) assert.ok(FAULTS.includes(fault), fault.code)
})

test('FAULTS never calls a wrong setting retryable, save one that time mends', () => {
  const wrong = FAULTS.filter((fault) => fault.reaction === 'misconfigured' && fault.retryable)
  assert.deepEqual(
    wrong.map((fault) => fault.code),
    ['tls-not-yet-valid'],
  )
})

test('FAULTS never lets one connection error or reply pattern stand in two entries', () => {
  const words = FAULTS.flatMap((fault) => [...(fault.errors ?? []), ...(fault.replies ?? []).map(String)])
  assert.deepEqual(
    words.filter((word, index) => words.indexOf(word) !== index),
    [],
  )
})

test('reasonOf() joins the meaning and the exact text', () => {
  const text = 'LOADING Redis is loading the dataset in memory'
  assert.deepEqual(reasonOf(faultOfReply(text), text), {
    code: 'loading',
    text: 'Redis has started and is still reading its data from disk (LOADING Redis is loading the dataset in memory).',
    nextStep: faultOfReply(text).nextStep,
  })
})

test('reasonOf() without a text, or with an empty one, is the meaning alone', () => {
  for (const detail of [undefined, '', ' \n'])
    assert.equal(reasonOf(LINK_FAULTS.silent, detail).text, LINK_FAULTS.silent.meaning)
})

test('reasonOf() leaves secrets out', () => {
  const { text } = reasonOf(LINK_FAULTS.silent, 'at redis://app:hunter2@cache:6379/0')
  assert.ok(text.includes('redis://app:***@cache:6379/0'), text)
})
