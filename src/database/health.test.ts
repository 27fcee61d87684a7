import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../errors.ts'
import { DatabaseHealthMachine } from './health.ts'
import type { DatabaseHealth } from './health.ts'

const because = (code: string): Reason => ({ code, text: '', nextStep: '' })

test('DatabaseHealthMachine moves along the table, keeps since within a state, and tells each change once', () => {
  const told: string[] = []
  let now = 1
  const onChange = (health: DatabaseHealth, before: DatabaseHealth): void =>
    void told.push(`${before.state} ${health.state} ${health.reason.code} ${health.since}`)
  const machine = new DatabaseHealthMachine({ wallNow: () => now++, reason: because('begin'), onChange })
  machine.move('down', because('refused'))
  machine.move('down', because('refused'))
  machine.move('down', because('lost'))
  machine.move('up', because('ok'))
  machine.move('write-blocked', because('full'))
  assert.deepEqual(machine.health.can, { read: true, write: false })
  assert.deepEqual(told, ['connecting down refused 2', 'down down lost 2', 'down up ok 3', 'up write-blocked full 4'])
})

test('DatabaseHealthMachine: closed is for good, and down does not go back to connecting', () => {
  const machine = new DatabaseHealthMachine({ wallNow: () => 0, reason: because('begin'), onChange: () => undefined })
  machine.move('down', because('refused'))
  assert.throws(() => machine.move('connecting', because('again')), /Illegal/)
  machine.move('closed', because('closed'))
  assert.throws(() => machine.move('up', because('ok')), /Illegal/)
})
