import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LateWindow } from './late-window.ts'
import { readSettings } from './settings.ts'

/** A window of 5 s that calls for brownout at 10 replies of which half are late. */
function window() {
  const late = new LateWindow(readSettings().brownout)
  let replies = 0
  late.clear(0, 0)
  return {
    inTime(now: number, count = 1): void {
      replies += count
      late.sample(now, replies)
    },
    late(now: number, count = 1): void {
      for (let reply = 0; reply < count; reply++) late.late(now, ++replies)
    },
    get brownout(): boolean {
      return late.brownout(replies)
    },
    clear: (now: number): void => late.clear(now, replies),
  }
}

test('LateWindow calls for brownout when enough replies came and half of them late', () => {
  const found = window()
  found.inTime(100, 5)
  found.late(200, 4)
  assert.equal(found.brownout, false)
  found.late(300)
  assert.equal(found.brownout, true)
})

test('LateWindow calls for nothing on too few replies, however late', () => {
  const found = window()
  found.late(100, 9)
  assert.equal(found.brownout, false)
  found.late(200)
  assert.equal(found.brownout, true)
})

test('LateWindow forgets what is older than the window', () => {
  const found = window()
  found.late(100, 9)
  for (let now = 1000; now <= 7000; now += 1000) found.inTime(now)
  found.late(7100, 3)
  assert.equal(found.brownout, false)
})

test('LateWindow weighs few late replies against the many in time before them', () => {
  const found = window()
  for (let now = 0; now < 4000; now += 500) found.inTime(now, 100)
  found.late(4100, 50)
  assert.equal(found.brownout, false)
})

test('LateWindow begins anew when the state does', () => {
  const found = window()
  found.late(100, 20)
  found.clear(200)
  assert.equal(found.brownout, false)
  found.late(300, 10)
  assert.equal(found.brownout, true)
})
