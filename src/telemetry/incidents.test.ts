import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { Reason } from '../errors.ts'
import { channels } from './channels.ts'
import type { AtRisk, Incident } from './incident.ts'
import { watchIncidents, type IncidentWatch } from './incidents.ts'
import type { LogFields, LogLevel } from './logging.ts'

interface Line {
  readonly level: LogLevel
  readonly event: string
  readonly message: string
  readonly fields: LogFields
}

const REFUSED: Reason = {
  code: 'refused',
  text: 'Nothing listens at 127.0.0.1:6379.',
  nextStep: 'Start Redis: systemctl start redis-server.',
}
const SILENT: Reason = { code: 'silent', text: 'Redis has stopped answering.', nextStep: 'Look at its machine.' }
const FINE: Reason = { code: 'connected', text: 'Redis answers in time.', nextStep: 'Nothing to do.' }
const NO_POSTGRES: Reason = {
  code: 'refused',
  text: 'Nothing listens at the database address',
  nextStep: 'Start PostgreSQL.',
}

let clock: FakeClock
let lines: Line[]
let risk: AtRisk
let watch: IncidentWatch

/** Nothing has happened yet, and the watch ends with the test. */
function begin(t: TestContext): void {
  clock = new FakeClock()
  lines = []
  risk = { unknownFate: 0, refused: 0 }
  const to = (level: LogLevel) => (fields: LogFields, message: string) => {
    lines.push({ level, event: String(fields['event']), message, fields })
  }
  const logger = { info: to('info'), warn: to('warn'), error: to('error') }
  watch = watchIncidents({ logger, clock, link: { name: 'redis', risk: () => risk }, database: { name: 'database' } })
  t.after(() => watch.close())
}

const events = (): string[] => lines.map(({ level, event }) => `${level} ${event}`)
const record = (line: Line | undefined): Incident => line?.fields['incident'] as Incident

function link(to: string, reason: Reason, name = 'redis'): void {
  const can = { read: to === 'up', write: to === 'up', publish: to === 'up' }
  channels.linkState.publish({ link: name, from: '?', to, reason, can, at: clock.wallNow() })
}

function database(to: string, reason: Reason): void {
  channels.databaseState.publish({
    database: 'database',
    engine: 'postgres',
    from: '?',
    to,
    reason,
    at: clock.wallNow(),
  })
}

test('an outage is one incident: told when it begins and when it has ended, with cause, effect, remedy and length', async (t) => {
  begin(t)
  link('connecting', FINE)
  link('up', FINE)
  await clock.advance(60_000)
  link('down', REFUSED)
  await clock.advance(4200)
  link('up', FINE)
  await clock.advance(120_000)

  assert.deepEqual(events(), ['warn incident.opened', 'info incident.returned'])
  assert.equal(
    lines[0]?.message,
    'Redis is away: Nothing listens at 127.0.0.1:6379. ' +
      'Effect: requests are served without Redis and nobody waits for it. ' +
      'Next step: Start Redis: systemctl start redis-server.',
  )
  assert.equal(lines[1]?.message, 'Redis is back after 4.2 s. Cause: Nothing listens at 127.0.0.1:6379.')
  const { id, since, until, awaySeconds, interruptions, outcome } = record(lines[1])
  assert.deepEqual(
    { id, since, until, awaySeconds, interruptions, outcome },
    {
      id: 'redis@2026-02-08T07:50:15.000Z',
      since: '2026-02-08T07:50:15.000Z',
      until: '2026-02-08T07:50:19.200Z',
      awaySeconds: 4.2,
      interruptions: 1,
      outcome: 'returned',
    },
  )
})

test('every line about an outage is found by grep -i redis and grep -i error', (t) => {
  begin(t)
  link('down', REFUSED)
  const text = JSON.stringify([lines[0]?.message, lines[0]?.fields])
  assert.match(text, /redis/i)
  assert.match(text, /error/i)
})

test('a Redis that is away at start is an outage from the beginning', (t) => {
  begin(t)
  link('connecting', FINE)
  link('down', REFUSED)
  assert.deepEqual(events(), ['warn incident.opened'])
  assert.equal(watch.open.length, 1)
})

test('each different cause is told once, however often they take turns', (t) => {
  begin(t)
  link('up', FINE)
  link('down', SILENT)
  for (let turn = 0; turn < 100; turn++) {
    link('down', REFUSED)
    link('down', SILENT)
  }
  assert.deepEqual(events(), ['warn incident.opened', 'warn incident.cause-changed'])
  assert.match(lines[1]?.message ?? '', /^Redis is away now, for another reason: Nothing listens/)
  assert.deepEqual(record(lines[1]).causes, [SILENT, REFUSED])
})

test('flapping is one incident with the number of interruptions and a bounded number of lines', async (t) => {
  begin(t)
  link('up', FINE)
  for (let flap = 0; flap < 50; flap++) {
    link('down', SILENT)
    await clock.advance(400)
    link('recovering', { ...FINE, code: 'flapping' })
    link('up', FINE)
    await clock.advance(600)
  }
  assert.deepEqual(events(), ['warn incident.opened', 'info incident.returned', 'warn incident.flapping'])
  await clock.advance(30_000)

  assert.equal(events().at(-1), 'info incident.ended')
  const ended = lines.at(-1)
  assert.match(
    ended?.message ?? '',
    /^Redis is steady again after 50 interruptions, 20 s away in all\. Cause: Redis has stopped/,
  )
  assert.equal(record(ended).interruptions, 50)
  assert.deepEqual(record(ended).causes, [SILENT])
  assert.equal(watch.totals('redis').incidents, 1)
})

test('what stays away after flapping is told again, and so is its return', async (t) => {
  begin(t)
  link('down', SILENT)
  link('up', FINE)
  link('down', SILENT)
  await clock.advance(30_000)
  link('up', FINE)
  await clock.advance(60_000)
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['incident.opened', 'incident.returned', 'incident.flapping', 'incident.away-again', 'incident.returned'],
  )
})

test('outages far from each other are incidents of their own', async (t) => {
  begin(t)
  for (let outage = 0; outage < 3; outage++) {
    link('down', REFUSED)
    await clock.advance(1000)
    link('up', FINE)
    await clock.advance(31_000)
  }
  assert.equal(watch.totals('redis').incidents, 3)
  assert.equal(watch.totals('redis').awaySeconds, 3)
  assert.equal(new Set(lines.map((line) => record(line).id)).size, 3)
})

test('what was at risk counts from the last good second, before the outage was noticed', async (t) => {
  begin(t)
  risk = { unknownFate: 5, refused: 7 }
  link('up', FINE)
  await clock.advance(10_000)
  risk = { unknownFate: 8, refused: 7 }
  await clock.advance(500)
  link('down', SILENT)
  risk = { unknownFate: 8, refused: 207 }
  await clock.advance(2000)
  link('up', FINE)

  assert.deepEqual(record(lines[1]).atRisk, { unknownFate: 3, refused: 200 })
  assert.match(
    lines[1]?.message ?? '',
    /At risk: 3 calls may have run although the caller was told an error; 200 calls to Redis were not made\.$/,
  )
})

test('memory mode by choice is no outage, and being told to leave Redis ends one', (t) => {
  begin(t)
  const byChoice: Reason = { code: 'memory-mode', text: 'Told to work without Redis.', nextStep: 'Nothing.' }
  link('isolated', byChoice)
  assert.deepEqual(lines, [])
  link('down', REFUSED)
  link('isolated', byChoice)
  assert.deepEqual(events(), ['warn incident.opened', 'warn incident.ended'])
  assert.deepEqual(watch.open, [])
})

test('Redis taken out of use by an operator is told, for it was asked for', (t) => {
  begin(t)
  link('up', FINE)
  link('isolated', { code: 'isolated', text: 'Maintenance.', nextStep: 'rejoin()' })
  assert.match(lines[0]?.message ?? '', /^Redis was taken out of use: Maintenance\./)
})

test('closing during an outage ends the incident and says that it was not over', async (t) => {
  begin(t)
  link('down', REFUSED)
  await clock.advance(1000)
  link('closed', { code: 'closed', text: 'Closed.', nextStep: '' })
  assert.deepEqual(events(), ['warn incident.opened', 'warn incident.ended'])
  assert.equal(record(lines[1]).outcome, 'closed')
  assert.match(lines[1]?.message ?? '', /^Redis was still away when this process let go of it/)
})

test('closing while all is well says nothing', (t) => {
  begin(t)
  link('up', FINE)
  link('closed', { code: 'closed', text: 'Closed.', nextStep: '' })
  assert.deepEqual(lines, [])
})

test('the database being away is an error, for requests fail', (t) => {
  begin(t)
  database('up', FINE)
  database('down', NO_POSTGRES)
  assert.deepEqual(events(), ['error incident.opened'])
  assert.equal(
    lines[0]?.message,
    'The database is away: Nothing listens at the database address. ' +
      'Effect: whatever needs the database fails at once, with the reason. Next step: Start PostgreSQL.',
  )
  assert.equal(watch.totals('database').incidents, 1)
  assert.equal(watch.totals('redis').incidents, 0)
})

test('other links and databases of the process are not ours to tell', (t) => {
  begin(t)
  link('down', REFUSED, 'another')
  channels.notice.publish({ source: 'another', level: 'warn', message: 'Not ours.' })
  assert.deepEqual(lines, [])
})

test('a notice is passed on at its level, once per notice', (t) => {
  begin(t)
  channels.notice.publish({ source: 'redis', level: 'warn', message: 'Redis evicts keys.', reason: REFUSED })
  assert.deepEqual(events(), ['warn notice'])
  assert.equal(lines[0]?.message, 'Redis evicts keys.')
})

test('time away counts while an outage goes on', async (t) => {
  begin(t)
  link('down', REFUSED)
  await clock.advance(2500)
  assert.deepEqual(watch.totals('redis'), { incidents: 1, awaySeconds: 2.5, open: true })
})

test('close() leaves no timer and no subscription behind', (t) => {
  begin(t)
  link('down', REFUSED)
  link('up', FINE)
  watch.close()
  assert.equal(clock.pendingTimers, 0)
  const before = lines.length
  link('down', REFUSED)
  assert.equal(lines.length, before)
  assert.equal(channels.linkState.hasSubscribers, false)
})
