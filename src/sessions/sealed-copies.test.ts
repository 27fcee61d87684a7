import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { channels } from '../telemetry/channels.ts'
import type { SessionRecord } from './record.ts'
import { SealedCopies, type SealedCopy } from './sealed-copies.ts'

const LIFE_MS = 100_000

function rig() {
  const clock = new ManualClock()
  const seal = { secrets: ['a secret that is long enough for the seal'], lifeMs: LIFE_MS }
  const now = clock.wallNow()
  const record = (change: Partial<SessionRecord> = {}): SessionRecord => ({
    id: 's',
    version: 5,
    expiresAt: now + 1_000_000,
    text: '{"user":1}',
    confirmedAt: now,
    ...change,
  })
  const copies = new SealedCopies({ seal, prefix: 'sess:', clock })
  /** A copy as another process made it. */
  const textOf = (change?: Partial<SessionRecord>): string => madeBy(copies.copy(record(change), undefined))
  return { clock, copies, record, textOf, now }
}

function madeBy(copy: SealedCopy): string {
  return typeof copy === 'string' ? assert.fail(`it is ${copy}`) : copy.text
}

test('a copy serves where nothing is known, and until its end only', () => {
  const { clock, copies, textOf } = rig()
  const shown = textOf()
  assert.equal(copies.choose(undefined, 's', shown)?.text, '{"user":1}')
  assert.equal(copies.choose(undefined, 'other', shown), undefined)
  clock.advance(LIFE_MS)
  assert.equal(copies.choose(undefined, 's', shown), undefined)
  assert.deepEqual([copies.stats.unsealed, copies.stats.sealsRefused], [1, 2])
})

test('a copy ends with its session', () => {
  const { clock, copies, textOf, now } = rig()
  const shown = textOf({ expiresAt: now + 50 })
  clock.advance(50)
  assert.equal(copies.choose(undefined, 's', shown), undefined)
  assert.equal(copies.copy({ id: 's', version: 1, expiresAt: now, text: '{}', confirmedAt: now }, undefined), 'none')
})

test('what is newer counts: an older copy is refused, and a logout counts before every copy', () => {
  const { copies, record, textOf } = rig()
  const [older, newer] = [textOf({ version: 4, text: '{"user":4}' }), textOf({ version: 6, text: '{"user":6}' })]
  const known = record()
  assert.equal(copies.choose(known, 's', older), known)
  assert.equal(copies.choose(known, 's', newer)?.text, '{"user":6}')
  const gone = record({ text: undefined, version: 1 })
  assert.equal(copies.choose(gone, 's', newer), gone)
  assert.equal(copies.stats.sealsRefused, 2)
})

test('what was taken from a copy ends with it, and its version is remembered: an older one does not come after it', () => {
  const { clock, copies, textOf } = rig()
  const older = textOf({ version: 4 })
  const taken = copies.choose(undefined, 's', textOf())
  assert.equal(copies.choose(taken, 's', undefined), taken)
  assert.equal(copies.choose(taken, 's', older), taken)
  clock.advance(LIFE_MS)
  assert.equal(copies.choose(taken, 's', undefined), undefined)
})

test('handing a copy on does not lengthen it: what counts is when Redis last had a say', () => {
  const { clock, copies, record, textOf, now } = rig()
  const taken = copies.choose(undefined, 's', textOf())
  clock.advance(60_000)
  const copy = copies.copy(taken && { ...taken, version: 7 }, undefined)
  assert.equal(typeof copy === 'object' && copy.lifeMs, LIFE_MS - 60_000)
  const own = copies.copy(record({ confirmedAt: now }), undefined)
  assert.equal(typeof own === 'object' && own.lifeMs, LIFE_MS - 60_000)
  clock.advance(40_000)
  assert.equal(copies.copy(record({ confirmedAt: now }), undefined), 'none')
})

test('no other copy is made while the one that is shown is as good', () => {
  const { copies, record, textOf, now } = rig()
  const shown = textOf()
  assert.equal(copies.copy(record({ confirmedAt: now + LIFE_MS / 20 }), shown), 'kept')
  assert.notEqual(copies.copy(record({ confirmedAt: now + LIFE_MS / 5 }), shown), 'kept')
  assert.notEqual(copies.copy(record({ version: 6 }), shown), 'kept')
  assert.notEqual(copies.copy(record({ expiresAt: now + 2_000_000 }), shown), 'kept')
  assert.notEqual(copies.copy(record(), 'nonsense'), 'kept')
})

test('a session that is too large has no copy: told once, counted each time', () => {
  const { copies, record } = rig()
  const told: string[] = []
  const stop = channels.notice.subscribe(({ message }) => told.push(message))
  const large = record({ text: JSON.stringify({ cart: 'x'.repeat(2_900) }) })
  for (let turn = 0; turn < 3; turn++) assert.equal(copies.copy(large, undefined), 'none')
  stop()
  assert.equal(copies.stats.sealsTooLarge, 3)
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /too large for a sealed cookie/)
  const fits = madeBy(copies.copy(record({ text: JSON.stringify({ cart: 'x'.repeat(2_700) }) }), undefined))
  assert.ok(fits.length <= 3800)
})
