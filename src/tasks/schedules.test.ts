import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cron } from 'croner'
import type { Database } from '../database/index.ts'
import { TaskError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import type { ScheduleOptions, TaskDefinition } from './definitions.ts'
import { Schedules } from './schedules.ts'

const HOUR_MS = 3_600_000
const NOON = Date.UTC(2026, 1, 8, 12)

/** A table of ticks, and schedules over it as processes have them. */
function subject(schedule: ScheduleOptions | readonly ScheduleOptions[], refused?: unknown) {
  const ticks = new Map<string, number>()
  const started: unknown[] = []
  const definition: TaskDefinition = { run: () => undefined, schedule }
  const transaction: Database['transaction'] = (run) => run({ query: () => assert.fail() } as never)
  const process = (): Schedules =>
    new Schedules({
      definitions: new Map([['job', definition]]),
      database: { transaction },
      store: {
        lastTick: async (key) => (ticks.has(key) ? new Date(ticks.get(key) ?? 0) : undefined),
        advance: async (key, tick) => {
          const isFirst = (ticks.get(key) ?? 0) < tick.getTime()
          if (isFirst) ticks.set(key, tick.getTime())
          return isFirst
        },
      },
      start: async (name, payload) => {
        if (refused !== undefined && payload === refused) throw new TaskError('TASK_PAYLOAD', 'not that one')
        started.push([name, payload])
      },
    })
  return { process, started }
}

test('a schedule begins with its next tick, and each tick starts one task in all processes', async () => {
  const { process, started } = subject({ cron: '0 * * * *', payload: 'p' })
  const [one, other] = [process(), process()]
  assert.equal(await one.tick(NOON + 1000), HOUR_MS - 1000)
  await other.tick(NOON + 2000)
  assert.deepEqual(started, [])
  for (const at of [NOON + HOUR_MS, NOON + 2 * HOUR_MS]) {
    assert.equal(await one.tick(at), HOUR_MS)
    await other.tick(at + 500)
  }
  assert.deepEqual(started, [
    ['job', 'p'],
    ['job', 'p'],
  ])
})

test('of the ticks that nobody saw the latest one starts a task, or none', async () => {
  for (const [missed, expected] of [
    ['once', 1],
    ['skip', 0],
  ] as const) {
    const { process, started } = subject({ cron: '0 * * * *', missed })
    await process().tick(NOON + 1000)
    const later = process()
    const at = NOON + 5 * HOUR_MS + 600_000
    assert.equal(await later.tick(at), HOUR_MS - 600_000)
    await process().tick(at)
    assert.equal(started.length, expected, missed)
  }
})

test('a time zone is kept over the change to summer time', async () => {
  const { process } = subject({ cron: '0 3 * * *', timeZone: 'Europe/Berlin' })
  const midnight = Date.UTC(2026, 2, 28, 23)
  assert.equal(await process().tick(midnight), 2 * HOUR_MS)
})

test('several schedules of one task tick by themselves', async () => {
  const { process, started } = subject([
    { cron: '0 * * * *', payload: 1 },
    { cron: '30 * * * *', payload: 2 },
  ])
  const one = process()
  assert.equal(await one.tick(NOON), HOUR_MS / 2)
  await one.tick(NOON + HOUR_MS / 2)
  await one.tick(NOON + HOUR_MS)
  assert.deepEqual(started, [
    ['job', 2],
    ['job', 1],
  ])
})

test('a calendar that cannot be read is refused when it is given', () => {
  for (const schedule of [{ cron: 'at noon' }, { cron: '0 3 * * *', timeZone: 'Mars/Olympus' }])
    assert.throws(() => subject(schedule).process(), { code: 'OPTION_INVALID', option: 'job.schedule' })
})

test('two schedules with the same calendar both tick when their names differ', async () => {
  const { process, started } = subject([
    { cron: '0 * * * *', payload: 1, name: 'one' },
    { cron: '0 * * * *', payload: 2, name: 'two' },
  ])
  const one = process()
  await one.tick(NOON + 1000)
  await one.tick(NOON + HOUR_MS)
  assert.deepEqual(started, [
    ['job', 1],
    ['job', 2],
  ])
})

test('schedules that would take each other’s ticks are refused when they are given', () => {
  const cron = '0 * * * *'
  for (const schedules of [
    [{ cron }, { cron, payload: 2 }],
    [
      { cron, name: 'a' },
      { cron: '5 * * * *', name: 'a' },
    ],
  ])
    assert.throws(() => subject(schedules).process(), { code: 'OPTION_INVALID', option: 'job.schedule' })
})

test('a schedule that cannot start its task keeps no other from it, is told once, and is tried again', async () => {
  const told: string[] = []
  const stop = channels.notice.subscribe(({ message }) => told.push(message))
  const { process, started } = subject(
    [
      { cron: '0 * * * *', payload: 'bad' },
      { cron: '0 * * * *', timeZone: 'Europe/Berlin', payload: 'good' },
    ],
    'bad',
  )
  const one = process()
  await one.tick(NOON + 1000)
  assert.equal(await one.tick(NOON + HOUR_MS), 10_000)
  for (let second = 1; second <= 60; second += 1) await one.tick(NOON + HOUR_MS + second * 1000)
  stop()
  assert.deepEqual(started, [['job', 'good']])
  assert.deepEqual(told, ["A schedule of the task 'job' could not start it: not that one"])
})

/** Days on which clocks are changed. */
const CHANGES = [
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-04-05'],
] as const

test('each tick of a calendar starts one task, also where an hour is missing or comes twice', async () => {
  for (const [timeZone, day] of CHANGES)
    for (const cron of ['30 2 * * *', '0 3 * * *', '*/15 * * * *', '30 1 * * 0']) {
      const [from, end] = [Date.parse(day) - 24 * HOUR_MS, Date.parse(day) + 48 * HOUR_MS]
      const { process, started } = subject({ cron, timeZone })
      const schedules = process()
      const begun: number[] = []
      for (let now = from; now < end;) {
        const waitMs = await schedules.tick(now)
        if (started.splice(0).length > 0) begun.push(now)
        now += Math.max(1, Math.min(waitMs, HOUR_MS))
      }
      assert.deepEqual(
        begun,
        dueBetween(new Cron(cron, { timezone: timeZone, paused: true }), from, end),
        `${cron} ${day}`,
      )
    }
})

function dueBetween(calendar: Cron, from: number, end: number): number[] {
  const due: number[] = []
  for (
    let next = calendar.nextRun(new Date(from));
    next !== null && next.getTime() < end;
    next = calendar.nextRun(next)
  )
    due.push(next.getTime())
  return due
}
