import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkParts } from '../../test/support/link-parts.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import { Lane, type LaneOptions } from './lane.ts'

function owner() {
  const state = { wanted: true }
  const lost: string[] = []
  return {
    state,
    lost,
    wanted: () => state.wanted,
    opened: () => Promise.resolve(),
    told: (code: string) => lost.push(code),
    message: () => undefined,
    invalidated: () => undefined,
  }
}

function laneOf(parts: LaneOptions) {
  const own = owner()
  const lane = new Lane(parts, { ...own, lost: (fault) => void own.told(fault.code) })
  return { lane, own }
}

test('Lane opens its connection while it is wanted, and again with back-off when it ends', async () => {
  const parts = linkParts()
  const { lane, own } = laneOf(parts)
  lane.maintain()
  await parts.clock.advance(10)
  parts.driver.last.end()
  assert.deepEqual(own.lost, ['connection-closed'])
  await parts.clock.advance(150)
  assert.equal(parts.driver.connections.length, 2)
  own.state.wanted = false
  parts.driver.last.end()
  await parts.clock.advance(5000)
  assert.equal(parts.driver.connections.length, 2)
  assert.equal(parts.clock.pendingTimers, 0)
})

test('Lane that is wanted no more when its turn comes gives way, and tells nobody that Redis is away', async () => {
  const parts = linkParts()
  parts.driver.opens = false
  const [first, second, third] = [laneOf(parts), laneOf(parts), laneOf(parts)]
  for (const { lane } of [first, second, third]) lane.maintain()
  await parts.clock.advance(0)
  second.own.state.wanted = false
  parts.driver.opens = true
  parts.driver.last.open()
  await parts.clock.advance(10)
  assert.deepEqual([first.lane.wire, second.lane.wire, third.lane.wire].map(Boolean), [true, false, true])
  assert.deepEqual(third.own.lost, [])
  for (const { lane } of [first, second, third]) lane.drop(reasonOf(LINK_FAULTS.closed))
  assert.equal(parts.clock.pendingTimers, 0)
})

test('Lane ends a connection that comes about after it was dropped', async () => {
  const parts = linkParts()
  parts.driver.opens = false
  const { lane } = laneOf(parts)
  lane.maintain()
  await parts.clock.advance(0)
  lane.drop(reasonOf(LINK_FAULTS.closed))
  parts.driver.last.open()
  await parts.clock.advance(10)
  assert.equal(lane.wire, undefined)
  assert.ok(parts.driver.last.killed)
  assert.equal(parts.clock.pendingTimers, 0)
})
