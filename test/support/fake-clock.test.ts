import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from './fake-clock.ts'

test('FakeClock runs timers at their moments, promises in between, and moves the wall clock along', async () => {
  const clock = new FakeClock({ startMs: 100, wallStartMs: 5000 })
  const ran: string[] = []
  clock.setTimer(() => void ran.push(`late ${clock.now()}`), 20)
  clock.setTimer(() => {
    ran.push(`early ${clock.now()}`)
    void Promise.resolve().then(() => ran.push('its promise'))
    clock.setTimer(() => void ran.push(`its timer ${clock.now()}`), 5)
  }, 10)
  await clock.advance(20)
  assert.deepEqual(ran, ['early 110', 'its promise', 'its timer 115', 'late 120'])
  assert.deepEqual([clock.now(), clock.wallNow(), clock.pendingTimers], [120, 5020, 0])
})

test('FakeClock forgets a timer that was cleared, once', async () => {
  const clock = new FakeClock()
  const timer = clock.setTimer(() => assert.fail(), 10)
  const other = clock.setTimer(() => undefined, 10)
  clock.clearTimer(timer)
  clock.clearTimer(timer)
  assert.equal(clock.pendingTimers, 1)
  await clock.advance(10)
  clock.clearTimer(other)
  assert.equal(clock.pendingTimers, 0)
})

test('FakeClock reads the sockets before what waits for that', async () => {
  const clock = new FakeClock()
  const ran: string[] = []
  clock.setTimer(() => {
    ran.push('timer')
    clock.afterIo(() => void ran.push('after io'))
  }, 10)
  clock.at(10, () => clock.io(() => void ran.push('io')))
  await clock.advance(10)
  // An idle event loop waits for sockets, so these come first when both are due.
  assert.deepEqual(ran, ['io', 'timer', 'after io'])
})

test('FakeClock lets the world go on while the process stands still, and makes up for it afterwards', async () => {
  const clock = new FakeClock()
  const ran: string[] = []
  clock.at(0, () => clock.io(() => clock.stall(100)))
  clock.at(30, () => {
    ran.push(`world ${clock.now()}`)
    clock.io(() => void ran.push(`io ${clock.now()}`))
  })
  clock.setTimer(() => void ran.push(`timer ${clock.now()}`), 20)
  await clock.advance(200)
  assert.deepEqual(ran.toSorted(), ['io 100', 'timer 100', 'world 30'])
  assert.equal(clock.now(), 200)
})

test('FakeClock keeps the order of what happens at one moment', async () => {
  const clock = new FakeClock()
  const ran: number[] = []
  for (let index = 0; index < 100; index++) clock.at(index % 2 === 0 ? 10 : 5, () => void ran.push(index))
  await clock.advance(10)
  const [odd, even] = [ran.slice(0, 50), ran.slice(50)]
  assert.deepEqual([odd, even], [odd.toSorted((a, b) => a - b), even.toSorted((a, b) => a - b)])
})

test('run() lives through promises without an event loop, and ends a loop without end', async () => {
  const clock = new FakeClock()
  const error = await new Promise((resolve) => {
    setImmediate(() => {
      let after = 0
      const chain = async (): Promise<void> => {
        for (let turn = 0; turn < 1000; turn++) await Promise.resolve()
        after = clock.now()
      }
      clock.setTimer(() => void chain(), 10)
      clock.setTimer(() => assert.equal(after, 10), 20)
      clock.run(20)
      const again = (): void => void clock.setTimer(again, 0)
      again()
      try {
        clock.run(30)
        resolve(undefined)
      } catch (thrown) {
        resolve(thrown)
      }
    })
  })
  assert.match(String(error), /Time stands still at 20 ms/)
})
