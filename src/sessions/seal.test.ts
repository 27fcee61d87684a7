import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelOf, sealOptions, Sealer } from './seal.ts'

const OLD = 'the secret that was used until yesterday'
const NEW = 'the secret that is used from today on, ok'
const PREFIX = 'sess:'
const SESSION = { id: 's', version: 1_795_000_000_123, expiresAt: 1_795_000_900_000, text: '{"user":"Ännchen ✓"}' }
const UNTIL = 1_795_000_600_000

const sealed = new Sealer([OLD], PREFIX).seal(SESSION, UNTIL)

test('Sealer: what was sealed opens under the same id, with everything that was in it, and shows nothing of it before', () => {
  assert.deepEqual(new Sealer([OLD], PREFIX).open('s', sealed), { ...SESSION, servedUntil: UNTIL })
  assert.deepEqual(labelOf(sealed), { version: SESSION.version, until: UNTIL, expiresAt: SESSION.expiresAt })
  assert.doesNotMatch(Buffer.from(sealed.split('.').at(-1) ?? '', 'base64url').toString('latin1'), /user/)
  assert.match(sealed, /^[\w.-]+$/, 'fit for a cookie')
})

test('Sealer: opens under no other id, prefix or secret', () => {
  assert.equal(new Sealer([OLD], PREFIX).open('other', sealed), undefined)
  assert.equal(new Sealer([OLD], 'shop:').open('s', sealed), undefined)
  assert.equal(new Sealer([NEW], PREFIX).open('s', sealed), undefined)
})

test('Sealer: of several secrets the first seals and all open', () => {
  const rotating = new Sealer([NEW, OLD], PREFIX)
  assert.equal(rotating.open('s', sealed)?.text, SESSION.text)
  const fresh = rotating.seal(SESSION, UNTIL)
  assert.equal(new Sealer([NEW], PREFIX).open('s', fresh)?.text, SESSION.text)
  assert.equal(new Sealer([OLD], PREFIX).open('s', fresh), undefined)
})

test('Sealer: two seals of one session have nothing in common', () => {
  const other = new Sealer([OLD], PREFIX).seal(SESSION, UNTIL)
  assert.notEqual(other.slice(-80), sealed.slice(-80))
})

test('Sealer: whatever character is changed, in clear or not, it does not open', () => {
  const sealer = new Sealer([OLD], PREFIX)
  for (let at = 0; at < sealed.length; at++) {
    const other = sealed[at] === '2' ? '3' : '2'
    const changed = `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`
    // The last character of base64 may hold bits that belong to no byte.
    if (at < sealed.length - 1) assert.equal(sealer.open('s', changed), undefined, `character ${at}`)
  }
  for (const text of [
    '',
    '1',
    '1.a.b.c.',
    sealed.slice(0, 60),
    `${sealed}x${sealed}`,
    `2${sealed.slice(1)}`,
    'x'.repeat(5000),
  ])
    assert.equal(sealer.open('s', text), undefined)
})

test('sealOptions() wants long secrets, shows none of them, and bounds the life', () => {
  for (const secrets of [[], ['short and secret'], [OLD, 'short and secret'], 'text' as unknown as string[]])
    assert.throws(
      () => sealOptions({ secrets }),
      (error: Error) => {
        assert.doesNotMatch(error.message, /short and secret/)
        return error.name === 'OptionError'
      },
    )
  assert.throws(() => sealOptions({ secrets: [OLD], lifeMs: 10 }), { option: 'lifeMs' })
  assert.throws(() => sealOptions({ secrets: [OLD], lifetime: 10 } as never), { name: 'OptionError' })
  assert.equal(sealOptions({ secrets: [OLD] }).lifeMs, 900_000)
})
