import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measuredIn, withMeasured } from './measured.ts'

const PAGE = 'a\n<!-- measured: one -->\nold $1\n<!-- /measured -->\nb\n<!-- measured: two-zh -->\n<!-- /measured -->\n'

test('measuredIn() finds the parts of a page', () => {
  assert.deepEqual(measuredIn(PAGE), ['one', 'two-zh'])
  assert.deepEqual(measuredIn('no parts'), [])
})

test('withMeasured() replaces the named part, again and again, and nothing else', () => {
  const fresh = withMeasured(PAGE, 'one', '| $& | 2 |\n')
  assert.equal(
    fresh,
    PAGE.replace('old $1', () => '\n| $& | 2 |\n'),
  )
  assert.equal(withMeasured(fresh, 'one', '| $& | 2 |'), fresh)
  assert.equal(withMeasured(PAGE, 'three', 'x'), PAGE)
})
