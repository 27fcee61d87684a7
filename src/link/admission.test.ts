import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission } from './admission.ts'
import { commandOf } from './commands/commands.ts'
import { capabilitiesIn, type HealthState, type LinkHealth } from './health.ts'
import { readSettings } from './settings.ts'

const [READ, WRITE, DEL, PUBLISH] = ['GET', 'SET', 'DEL', 'PUBLISH'].map((name) => commandOf([name, 'key']))

function health(state: HealthState, code = 'because'): LinkHealth {
  return { state, since: 0, reason: { code, text: '', nextStep: '' }, can: capabilitiesIn(state) }
}

function admission(random = () => 0.5) {
  const gate = new Admission(readSettings(), random)
  const admits = (at: LinkHealth, command: typeof READ, now = 0): boolean =>
    command !== undefined && gate.admits(at, command, now)
  return { gate, admits }
}

test('Admission lets everything through when the link is up, and nothing where it does not serve', () => {
  const { admits } = admission()
  assert.ok(admits(health('up'), WRITE))
  const closed: HealthState[] = ['connecting', 'not-ready', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed']
  for (const state of closed) assert.ok(!admits(health(state), READ), state)
})

test('Admission lets reads and messages through while writes are blocked, and deletes where memory is short', () => {
  const { admits } = admission()
  for (const code of ['snapshot-failing', 'out-of-memory', 'read-only-replica']) {
    const blocked = health('write-blocked', code)
    assert.deepEqual(
      [READ, PUBLISH, WRITE, DEL].map((command) => admits(blocked, command)),
      [true, true, false, code === 'out-of-memory'],
      code,
    )
  }
})

test('Admission lets one probe through every 200 ms in a brownout', () => {
  const { admits } = admission()
  const admitted: number[] = []
  for (let now = 0; now < 1000; now += 10) if (admits(health('brownout'), READ, now)) admitted.push(now)
  assert.deepEqual(admitted, [0, 200, 400, 600, 800])
})

test('Admission lets nothing through in a hold, then a tenth, then half, then all', () => {
  const chances = [0.05, 0.3, 0.7]
  const shareAt = (sinceHoldMs: number): number => {
    const through = chances.filter((chance) => {
      const { gate, admits } = admission(() => chance)
      gate.reset(1000)
      return admits(health('recovering'), READ, 1000 + sinceHoldMs)
    })
    return through.length
  }
  assert.deepEqual([-1, 0, 499, 500, 999, 1000].map(shareAt), [0, 1, 1, 2, 2, 3])
})

test('Admission lets nothing through in a hold whose end nobody has set', () => {
  assert.ok(!admission().admits(health('recovering'), READ, 1e9))
})
