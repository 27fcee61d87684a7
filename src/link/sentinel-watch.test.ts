import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts } from '../../test/support/link-parts.ts'
import type { Outcome } from './connector.ts'
import type { Address } from './driver.ts'
import { AttemptGate } from './gate.ts'
import { Master, SentinelWatch } from './sentinel-watch.ts'

const SENTINELS = ['10.0.0.11:26379', '10.0.0.12:26379', '10.0.0.13:26379']
const OLD = at('10.0.0.1')
const NEW = at('10.0.0.2')

function at(host: string): Address {
  return { kind: 'tcp', host, port: 6379 }
}

/** Sentinels that name the old master; `vote` is what their majority says. */
function watched(vote: Address = OLD) {
  const redis = { sentinel: { nodes: SENTINELS, master: 'mymaster' } }
  const resolve = ({ topology, addresses }: { topology: string; addresses: readonly Address[] }) =>
    Promise.resolve(topology === 'sentinel' ? [vote] : addresses)
  const parts = linkParts({ redis, surroundings: { resolve } })
  const { driver, clock, random, connectorOptions } = parts
  driver.answers = healthyBut({ SENTINEL: ['10.0.0.1', '6379'], ROLE: ['sentinel', ['mymaster']] })
  const master = new Master(clock)
  const moves: string[] = []
  master.inUse = OLD
  const gate = new AttemptGate<Outcome>(() => false)
  const watch = new SentinelWatch({
    ...connectorOptions,
    random,
    master,
    gate,
    moved: (detail) => void moves.push(detail),
  })
  const say = (message: string, sentinel = 0): void =>
    driver.connections[sentinel]?.events.message('+switch-master', Buffer.from(message), undefined)
  return { ...parts, watch, master, moves, say }
}

test('SentinelWatch listens to every sentinel', async () => {
  const { watch, driver, clock } = watched()
  watch.start()
  await clock.advance(10)
  assert.equal(driver.connections.length, 3)
  for (const { sent } of driver.connections)
    assert.deepEqual(sent.slice(-2), ['SENTINEL GET-MASTER-ADDR-BY-NAME mymaster', 'SUBSCRIBE +switch-master'])
  watch.stop()
  await clock.advance(0)
  assert.ok(driver.connections.every(({ killed }) => killed))
  assert.equal(clock.pendingTimers, 0)
})

test('SentinelWatch tells of another master once, and announces it for a while', async () => {
  const { watch, clock, say, moves, master } = watched()
  watch.start()
  await clock.advance(10)
  say('mymaster 10.0.0.1 6379 10.0.0.2 6379')
  assert.deepEqual(moves, ['the sentinels replaced 10.0.0.1:6379 by 10.0.0.2:6379'])
  assert.deepEqual(master.announced, NEW)
  say('mymaster 10.0.0.1 6379 10.0.0.2 6379', 1)
  assert.equal(moves.length, 1)
  await clock.advance(5000)
  assert.equal(master.announced, undefined)
  watch.stop()
})

test('SentinelWatch does not tell of other masters, of the one in use, or of nonsense', async () => {
  const { watch, clock, say, moves, master } = watched()
  watch.start()
  await clock.advance(10)
  master.inUse = NEW
  say('mymaster 10.0.0.1 6379 10.0.0.2 6379')
  say('other 10.0.0.1 6379 10.0.0.3 6379')
  say('mymaster 10.0.0.1 6379')
  master.inUse = { kind: 'tcp', host: '10.0.0.4', port: 6379, name: 'redis-4' }
  say('mymaster 10.0.0.2 6379 redis-4 6379')
  assert.deepEqual([moves, master.announced], [[], undefined])
  watch.stop()
  say('mymaster 10.0.0.1 6379 10.0.0.2 6379')
  assert.deepEqual(moves, [])
})

test('SentinelWatch that missed the word finds out when it listens again, if a majority agrees', async () => {
  for (const [vote, expected] of [
    [NEW, ['the sentinels name 10.0.0.2:6379']],
    [OLD, []],
  ] as const) {
    const { watch, driver, clock, moves } = watched(vote)
    watch.start()
    await clock.advance(10)
    driver.answers = healthyBut({ SENTINEL: ['10.0.0.2', '6379'] })
    driver.connections[0]?.end(new Error('Socket closed unexpectedly'))
    await clock.advance(2000)
    assert.equal(driver.connections.length, 4)
    assert.deepEqual(moves, expected)
    watch.stop()
  }
})

test('SentinelWatch opens a connection again on which nobody answers', async () => {
  const { watch, driver, clock } = watched()
  watch.start()
  await clock.advance(10)
  for (const connection of driver.connections) connection.answers = () => undefined
  await clock.advance(10_000)
  assert.equal(driver.connections.length, 6)
  watch.stop()
})
