import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeErrorReply, healthy, healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts, type PartsOptions } from '../../test/support/link-parts.ts'
import { Attempt } from './connector.ts'

function attempt(options: PartsOptions = {}) {
  const parts = linkParts(options)
  const begin = () =>
    new Attempt({
      ...parts.connectorOptions,
      everUp: false,
      explain: () => Promise.resolve(undefined),
      events: {
        opened: () => undefined,
        ended: () => undefined,
        errorReply: () => undefined,
        replied: () => undefined,
        message: () => undefined,
        invalidated: () => undefined,
      },
    })
  return { ...parts, begin }
}

test('inspect() leaves no rejection behind when the connection ends in the middle', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  const { begin, clock, driver } = attempt()
  driver.answers = (args) => (args[0] === 'HELLO' ? 'OK' : undefined)
  const { outcome } = begin()
  await clock.advance(10)
  assert.deepEqual(driver.last.waiting, ['TIME', 'INFO server', 'ROLE', 'CLIENT ID', 'PING', 'PING'])
  driver.last.end(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  await clock.advance(10)
  process.off('unhandledRejection', note)
  assert.equal((await outcome).kind, 'failed')
  assert.deepEqual(unhandled, [])
})

test('authenticate() says who it is, and selects the database', async () => {
  const { begin, clock, driver } = attempt({
    redis: { host: '10.0.0.1', username: 'app', password: 'secret', database: 3, clientName: 'shop' },
  })
  driver.answers = (args) => (args.join(' ') === 'CLIENT INFO' ? 'id=1 db=3 sub=0' : healthy(args))
  const { outcome } = begin()
  await clock.advance(10)
  assert.equal((await outcome).kind, 'connected')
  assert.deepEqual(driver.last.sent.slice(0, 2), ['HELLO 2 AUTH app secret SETNAME shop', 'SELECT 3'])
})

test('authenticate() goes the old way where HELLO is not known', async () => {
  const { begin, clock, driver } = attempt({ redis: { host: '10.0.0.1', password: 'secret', clientName: 'shop' } })
  driver.answers = healthyBut({ HELLO: new FakeErrorReply("ERR unknown command 'HELLO', with args beginning with: ") })
  const { outcome } = begin()
  await clock.advance(10)
  assert.equal((await outcome).kind, 'connected')
  assert.deepEqual(driver.last.sent.slice(1, 3), ['AUTH secret', 'CLIENT SETNAME shop'])
})

test('inspect() finds that another database was selected than the one asked for', async () => {
  const { begin, clock, driver } = attempt({ redis: { host: '10.0.0.1', database: 99 } })
  driver.answers = (args) => (args.join(' ') === 'CLIENT INFO' ? 'id=1 db=0 sub=0' : healthy(args))
  const { outcome } = begin()
  await clock.advance(10)
  const failed = await outcome
  assert.ok(failed.kind === 'failed' && failed.fault.code === 'wrong-database')
  assert.ok(driver.last.killed)
})

test('inspect() takes a server for what it is that tells nothing about itself', async () => {
  const refusal = new FakeErrorReply("NOPERM this user has no permissions to run the 'info' command")
  const { begin, clock, driver } = attempt()
  driver.answers = healthyBut({ INFO: refusal, ROLE: refusal, CLIENT: refusal, TIME: refusal })
  const { outcome } = begin()
  await clock.advance(10)
  const found = await outcome
  assert.ok(found.kind === 'connected')
  assert.deepEqual(found.inspection, {
    server: {
      runId: undefined,
      version: undefined,
      role: undefined,
      clientId: undefined,
      address: '10.0.0.1:6379',
      startedAt: undefined,
    },
    clockOffsetMs: undefined,
    blocked: undefined,
  })
})

test('inspect() asks again when a server became ready in the middle of the questions', async () => {
  const { begin, clock, driver } = attempt()
  driver.answers = healthyBut({ TIME: new FakeErrorReply('BUSY Redis is busy running a script. SCRIPT KILL') })
  const { outcome } = begin()
  await clock.advance(10)
  assert.equal((await outcome).kind, 'waiting')
})

test('inspect() does not wait at a replica without its master when sentinels can be asked for another', async () => {
  const sentinel = { nodes: ['10.0.0.9:26379'], master: 'main' }
  const { begin, clock, driver } = attempt({ redis: { sentinel } })
  driver.answers = healthyBut({
    ROLE: ['slave', '10.0.0.2', 6379, 'connect', -1],
    PING: new FakeErrorReply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
  })
  const { outcome } = begin()
  await clock.advance(10)
  const found = await outcome
  assert.equal(found.kind, 'failed')
  assert.equal(found.kind === 'failed' && found.reason.code, 'read-only-replica')
  assert.ok(driver.last.killed)
})

for (const [what, info, startedAt] of [
  ['tells its time and uptime', 'server_time_usec:1770000123999999\r\nuptime_in_seconds:23\r\n', 1_770_000_100_000],
  ['has just started', 'server_time_usec:1770000123000000\r\nuptime_in_seconds:0\r\n', 1_770_000_123_000],
  ['tells no time', 'uptime_in_seconds:23\r\n', undefined],
  ['tells no uptime', 'server_time_usec:1770000123999999\r\n', undefined],
] as const)
  test(`inspect() knows when a server started that ${what}`, async () => {
    const { begin, clock, driver } = attempt()
    driver.answers = healthyBut({ INFO: `# Server\r\nrun_id:run-1\r\n${info}` })
    const { outcome } = begin()
    await clock.advance(10)
    const connected = await outcome
    assert.ok(connected.kind === 'connected')
    assert.equal(connected.inspection.server.startedAt, startedAt)
  })
