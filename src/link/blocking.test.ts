import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkError } from '../errors.ts'
import { healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts } from '../../test/support/link-parts.ts'
import { BlockingLaneConnection } from './blocking.ts'
import type { BlockingLane } from './redis-link.ts'

const WAITING = healthyBut({ BLPOP: undefined })

function blocking() {
  const parts = linkParts()
  parts.driver.answers = WAITING
  const lane = new BlockingLaneConnection({ ...parts, unavailable: () => undefined, onClose: () => undefined })
  return { ...parts, lane }
}

/** Notes what becomes of a call, and when. */
function calling(lane: BlockingLane, now: () => number) {
  const outcome: { text: string; executed?: string; atMs: number } = { text: 'waits', atMs: NaN }
  lane.send(['BLPOP', 'jobs', '1'], { blockMs: 1000 }).then(
    (reply) => Object.assign(outcome, { text: `answered ${String(reply)}`, atMs: now() }),
    (error: LinkError) => Object.assign(outcome, { text: error.code, executed: error.executed, atMs: now() }),
  )
  return outcome
}

test('BlockingLane opens a connection of its own with the first call, and keeps it', async () => {
  const { lane, clock, driver } = blocking()
  const first = calling(lane, () => clock.now())
  await clock.advance(700)
  driver.last.reply(['jobs', 'job-1'])
  await clock.advance(0)
  assert.equal(first.text, 'answered jobs,job-1')
  const second = calling(lane, () => clock.now())
  await clock.advance(0)
  driver.last.reply(null)
  await clock.advance(0)
  assert.equal(second.text, 'answered null')
  assert.equal(driver.connections.length, 1)
  lane.close()
})

test('BlockingLane waits for the command and a read deadline, and no longer', async () => {
  const { lane, clock, driver } = blocking()
  const call = calling(lane, () => clock.now())
  await clock.advance(5000)
  assert.deepEqual(call, { text: 'LINK_DEADLINE', executed: 'maybe', atMs: 1250 })
  assert.ok(driver.last.killed)
  lane.close()
})

test('BlockingLane waits for its connection no longer than for a read', async () => {
  const { lane, clock, driver } = blocking()
  driver.opens = false
  const call = calling(lane, () => clock.now())
  await clock.advance(5000)
  assert.deepEqual(call, { text: 'LINK_UNAVAILABLE', executed: 'no', atMs: 250 })
  assert.equal(driver.connections.length, 1)
  lane.close()
  assert.equal(clock.pendingTimers, 0)
})

test('BlockingLane takes one call at a time', async () => {
  const { lane, clock } = blocking()
  const first = calling(lane, () => clock.now())
  const second = calling(lane, () => clock.now())
  await clock.advance(0)
  assert.deepEqual([first.text, second.text], ['waits', 'LINK_BUSY'])
  lane.close()
})

test('BlockingLane fails what waits at once when it is dropped, and works again afterwards', async () => {
  const { lane, clock, driver } = blocking()
  const first = calling(lane, () => clock.now())
  await clock.advance(10)
  lane.drop({ code: 'isolated', text: 'An operator has taken Redis out of use.', nextStep: '' })
  await clock.advance(0)
  assert.deepEqual([first.text, first.executed], ['LINK_LOST', 'maybe'])
  const second = calling(lane, () => clock.now())
  await clock.advance(10)
  driver.last.reply(null)
  await clock.advance(0)
  assert.equal(second.text, 'answered null')
  lane.close()
})

test('BlockingLane leaves nothing behind when it is closed while it connects', async () => {
  const { lane, clock, driver } = blocking()
  driver.opens = false
  const call = calling(lane, () => clock.now())
  await clock.advance(10)
  lane.close()
  await clock.advance(0)
  assert.deepEqual([call.text, call.executed], ['LINK_CLOSED', 'no'])
  assert.ok(driver.last.killed)
  assert.equal(clock.pendingTimers, 0)
})
