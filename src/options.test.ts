import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from './errors.ts'
import { booleanText, durationText, knownOptions, numberOption, numberText, sizeText, wordOption } from './options.ts'

/** The error must name the option, and say what was expected and what came. */
function refusal(name: string, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof OptionError)
    assert.equal(error.option, name)
    assert.equal(error.code, 'OPTION_INVALID')
    assert.match(error.message, message)
    return true
  }
}

test('numberOption() takes whole numbers within its range, both ends included', () => {
  assert.equal(numberOption('maxBytes', 0), 0)
  assert.equal(numberOption('share', 0.5, { max: 1, integer: false }), 0.5)
  assert.equal(numberOption('port', 65_535, { min: 1, max: 65_535 }), 65_535)
})

test('numberOption() refuses what is no number, no whole number or out of range', () => {
  const whole = /^Expected 'ttlMs' to be a whole number, got /
  for (const value of ['5', undefined, null, Number.NaN, Infinity, 1.5, [], {}])
    assert.throws(() => numberOption('ttlMs', value), refusal('ttlMs', whole))
  const range = /^Expected 'port' to be a whole number from 1 to 65535, got 0\.$/
  assert.throws(() => numberOption('port', 0, { min: 1, max: 65_535 }), refusal('port', range))
  assert.throws(() => numberOption('ttlMs', -1), refusal('ttlMs', /from 0 to .*, got -1\.$/))
})

test('numberText() reads decimal numbers and nothing that JavaScript would make one of', () => {
  assert.equal(numberText('REDIS_PORT', ' 6380 '), 6380)
  for (const text of ['', '0x10', '1e3', '6380;', 'Infinity'])
    assert.throws(() => numberText('REDIS_PORT', text), refusal('REDIS_PORT', /whole number, got '/))
})

test('booleanText() knows the words of environment files', () => {
  for (const text of ['true', '1', 'YES', ' on ']) assert.equal(booleanText('X', text), true)
  for (const text of ['false', '0', 'No', 'off', '']) assert.equal(booleanText('X', text), false)
  assert.throws(() => booleanText('X', 'maybe'), refusal('X', /^Expected 'X' to be true or false, got 'maybe'\.$/))
})

test('durationText() and sizeText() read their units, and a bare number in the smallest', () => {
  const durations = { '250': 250, '250ms': 250, '1.5s': 1500, '5 m': 300_000, '2h': 7_200_000, '7d': 604_800_000 }
  for (const [text, expected] of Object.entries(durations)) assert.equal(durationText('T', text), expected)
  const sizes = { '1024': 1024, '10b': 10, '64KB': 65_536, '64mb': 67_108_864, '1gb': 1_073_741_824 }
  for (const [text, expected] of Object.entries(sizes)) assert.equal(sizeText('S', text), expected)
})

test('durationText() and sizeText() refuse a unit they do not know, and a value out of range', () => {
  for (const text of ['5 weeks', '-5s', 's', '5s5s', ''])
    assert.throws(() => durationText('T', text), refusal('T', /to be a time such as 250ms, 30s or 5m, got '/))
  assert.throws(() => sizeText('S', '5m'), refusal('S', /to be a size such as 64kb, 64mb or 1gb, got '5m'/))
  assert.throws(() => durationText('T', '2h', { max: 3_600_000 }), refusal('T', /to 3600000, got 7200000\.$/))
})

test('wordOption() takes one of its words, spelt as they are', () => {
  assert.equal(wordOption('whenAway', 'local', ['local', 'open'] as const), 'local')
  const message = /^Expected 'whenAway' to be one of local, open, got 'Local'\.$/
  assert.throws(() => wordOption('whenAway', 'Local', ['local', 'open']), refusal('whenAway', message))
})

test('knownOptions() refuses a name that nobody reads, and tells those that are read', () => {
  knownOptions('the link', { url: 'redis://h', name: undefined }, ['url', 'name'])
  const message = /^'ulr' is no option of the link; known: url, name\.$/
  assert.throws(() => knownOptions('the link', { ulr: 'redis://h' }, ['url', 'name']), refusal('ulr', message))
})
