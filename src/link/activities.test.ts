import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectedWire, linkParts } from '../../test/support/link-parts.ts'
import { later, pulse, repeat } from './activities.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'

const CLOSED = reasonOf(LINK_FAULTS.closed)

test('later() runs once, unless it is stopped before', async () => {
  const { clock } = linkParts()
  const ran: string[] = []
  later(clock, 100, () => void ran.push('first'))
  const stop = later(clock, 100, () => void ran.push('second'))
  stop()
  stop()
  await clock.advance(1000)
  assert.deepEqual(ran, ['first'])
  assert.equal(clock.pendingTimers, 0)
})

test('repeat() asks for each pause, and stops for good, also from within', async () => {
  const { clock } = linkParts()
  const ranAt: number[] = []
  let pauseMs = 50
  const stop = repeat(
    clock,
    () => (pauseMs *= 2),
    () => {
      ranAt.push(clock.now())
      if (ranAt.length === 3) stop()
    },
  )
  await clock.advance(10_000)
  assert.deepEqual(ranAt, [100, 300, 700])
  assert.equal(clock.pendingTimers, 0)
})

/** A wire with a heartbeat of a second, and what it finds. */
async function beating() {
  const parts = linkParts()
  const wire = await connectedWire(parts)
  const dead: string[] = []
  const stop = pulse({
    wire,
    clock: parts.clock,
    everyMs: 1000,
    timeoutMs: 500,
    onDead: (detail) => void dead.push(`${parts.clock.now()} ${detail}`),
  })
  const { last } = parts.driver
  last.sent.length = 0
  return { ...parts, wire, dead, stop, connection: last }
}

test('pulse() asks a wire that was idle for a second, and only then', async () => {
  const { clock, wire, connection, stop } = await beating()
  for (let now = 0; now < 5000; now += 500) {
    await clock.advance(500)
    await wire.request(['GET', 'key'], 250)
  }
  assert.ok(!connection.sent.includes('PING'))
  await clock.advance(5000)
  const pings = connection.sent.filter((line) => line === 'PING').length
  assert.ok(pings >= 4 && pings <= 5, `${pings} in 5 s`)
  stop()
  wire.kill(CLOSED)
  assert.equal(clock.pendingTimers, 0)
})

test('pulse() asks a second time at once, and knows that nobody is there after the second miss', async () => {
  const { clock, dead, connection } = await beating()
  connection.answers = () => undefined
  await clock.advance(1999)
  assert.deepEqual([connection.sent, dead], [['PING', 'PING'], []])
  await clock.advance(1)
  assert.deepEqual(dead, ['2000 2 heartbeats without an answer'])
})

test('pulse() forgives one miss', async () => {
  const { clock, dead, connection, stop } = await beating()
  connection.answers = () => undefined
  await clock.advance(1600)
  connection.reply('PONG')
  connection.reply('PONG')
  await clock.advance(300)
  assert.deepEqual(dead, [])
  stop()
})

test('pulse() does not disturb a call that may still be answered, but asks beside one that was waited for in vain', async () => {
  const { clock, wire, connection, stop } = await beating()
  connection.answers = () => undefined
  wire.request(['SORT', 'large'], 3000, { heartbeat: true }).catch(() => undefined)
  await clock.advance(2999)
  assert.deepEqual(connection.sent, ['SORT large'])
  await clock.advance(110)
  assert.deepEqual(connection.sent, ['SORT large', 'PING'])
  stop()
})

test('pulse() that was stopped finds nothing any more', async () => {
  const { clock, dead, connection, stop } = await beating()
  connection.answers = () => undefined
  await clock.advance(1600)
  stop()
  await clock.advance(5000)
  assert.deepEqual(dead, [])
})
