import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilitiesIn, HealthMachine, isLegal, type HealthState, type LinkHealth } from './health.ts'

const because = (code: string) => ({ code, text: code, nextStep: 'wait' })

function machine(initial: HealthState = 'connecting') {
  const changes: [LinkHealth, LinkHealth][] = []
  let wall = 1000
  const health = new HealthMachine({
    wallNow: () => wall,
    initial,
    reason: because('starting'),
    onChange: (after, before) => changes.push([after, before]),
  })
  return { health, changes, tick: (ms: number) => (wall += ms) }
}

test('HealthMachine tells every change once, with since and what works', () => {
  const { health, changes, tick } = machine()
  tick(5)
  health.move('up', because('connected'))
  health.move('up', because('connected'))
  assert.equal(changes.length, 1)
  assert.deepEqual(health.health, { state: 'up', since: 1005, reason: because('connected'), can: capabilitiesIn('up') })
})

test('HealthMachine keeps since when only the reason changes', () => {
  const { health, changes, tick } = machine('down')
  tick(10)
  health.move('down', because('refused'))
  assert.equal(health.health.since, 1000)
  assert.equal(changes.length, 1)
})

test('HealthMachine refuses an illegal move and stays where it is', () => {
  const { health } = machine('closed')
  assert.throws(() => health.move('up', because('late')), /closed -> up/)
  assert.equal(health.health.state, 'closed')
})

test('isLegal() lets nothing leave closed and only connecting leave isolated', () => {
  const states: HealthState[] = ['connecting', 'up', 'brownout', 'write-blocked', 'not-ready', 'over-quota', 'down']
  for (const state of states) {
    assert.equal(isLegal('closed', state), false)
    assert.equal(isLegal('isolated', state), state === 'connecting')
  }
})

test('capabilitiesIn() keeps reads and publish while writes are blocked', () => {
  assert.deepEqual(capabilitiesIn('write-blocked'), { read: true, write: false, publish: true })
  assert.deepEqual(capabilitiesIn('brownout'), { read: false, write: false, publish: false })
})
