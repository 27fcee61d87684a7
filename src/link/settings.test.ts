import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import { readSettings, TUNING_NAMES, type LinkTuning } from './settings.ts'

test('readSettings() has the defaults that the promises are made with', () => {
  const { readDeadlineMs, writeDeadlineMs, handshakeMs, silenceMs, heartbeatMs, reconnect } = readSettings()
  assert.deepEqual(
    { readDeadlineMs, writeDeadlineMs, handshakeMs, silenceMs, heartbeatMs, reconnect },
    {
      readDeadlineMs: 250,
      writeDeadlineMs: 500,
      handshakeMs: 1000,
      silenceMs: 500,
      heartbeatMs: 1000,
      reconnect: { firstMs: 50, capMs: 1000 },
    },
  )
})

test('readSettings() takes every tuning there is', () => {
  const tuning = Object.fromEntries(TUNING_NAMES.map((name, index) => [name, 2000 + index])) as LinkTuning
  const { reconnect, ...settings } = readSettings({ ...tuning, maxBlockingLanes: 3 })
  const read = { ...settings, reconnectCapMs: reconnect.capMs }
  for (const name of TUNING_NAMES) if (name !== 'maxBlockingLanes') assert.equal(read[name], tuning[name], name)
  assert.equal(read.maxBlockingLanes, 3)
})

test('readSettings() refuses what cannot work, and names the option', () => {
  for (const name of TUNING_NAMES)
    for (const value of [-1, NaN, Infinity, 1.5, '100', 2 ** 60]) {
      const tuning = { [name]: value } as LinkTuning
      assert.throws(
        () => readSettings(tuning),
        (error) => error instanceof OptionError && error.option === name,
        `${name}: ${value}`,
      )
    }
})
