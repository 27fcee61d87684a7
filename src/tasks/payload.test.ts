import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorText, jsonText, validPayload } from './payload.ts'

test('validPayload() gives what the validator returns, be it a schema or a function', async () => {
  assert.equal(await validPayload('a', ' x ', (text) => String(text).trim()), 'x')
  assert.equal(await validPayload('a', 1, { '~standard': { validate: async () => ({ value: 2 }) } }), 2)
  assert.equal(await validPayload('a', 1, undefined), 1)
})

test('errorText() names the causes, whatever was thrown, and nothing that a database would refuse', () => {
  assert.equal(errorText(new Error('outer', { cause: new Error('in\0ner') })), 'outer: inner')
  assert.equal(errorText('text'), 'text')
  assert.equal(errorText({ code: 7 }), '{ code: 7 }')
  assert.equal(errorText(new TypeError()), 'TypeError')
  const circle = new Error('round')
  circle.cause = circle
  assert.match(errorText(circle), /^round(: round)+$/)
  assert.equal(errorText(new Error('x'.repeat(10_000))).length, 4000)
  assert.equal(errorText(new Error('😀'.repeat(10_000) + 'x')).isWellFormed(), true)
  assert.equal(errorText(new Error(`x${'😀'.repeat(10_000)}`)).isWellFormed(), true, 'a pair that the cut goes through')
})

test('jsonText() makes null of nothing and names what is no JSON', () => {
  assert.equal(jsonText(undefined, 'It'), 'null')
  assert.equal(
    jsonText(() => 1, 'It'),
    'null',
  )
  assert.throws(() => jsonText(1n, 'The result'), { code: 'TASK_JSON', message: /^The result cannot/ })
})
