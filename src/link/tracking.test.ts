import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeErrorReply, type FakeConnection } from '../../test/support/fake-driver.ts'
import { FakeTrackingServer, type Exceptions } from '../../test/support/fake-tracking-server.ts'
import { linkParts, singleLink } from '../../test/support/link-parts.ts'
import { channels } from '../telemetry/channels.ts'
import type { RedisLink, Tracking } from './redis-link.ts'

const NOPERM = new FakeErrorReply("NOPERM User app has no permissions to run the 'client|tracking' command")
const UNKNOWN = new FakeErrorReply("ERR Unknown subcommand or wrong number of arguments for 'TRACKING'")
const NO_SUCH_ID = new FakeErrorReply('ERR The client ID you want redirect to does not exist')
const QUOTA = new FakeErrorReply('ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.')
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

/** A server that numbers its connections and tracks for them, on a link that is made by `start`. */
function tracking() {
  const parts = linkParts()
  const server = new FakeTrackingServer(parts.driver)
  const link = singleLink(parts)
  link.start()
  return { ...parts, link, server }
}

/** A listener that notes what it is told. */
function listening(link: RedisLink, prefix = 'p:'): { told: string[]; tracking: Tracking } {
  const told: string[] = []
  const tracking = link.track(prefix, {
    invalidated: (keys) => void told.push(keys?.join(',') ?? 'all'),
    state: (state, { code }) => void told.push(`${state} ${code}`),
  })
  return { told, tracking }
}

function sentBy(connection: FakeConnection): readonly string[] {
  return connection.sent.filter((line) => line.startsWith('CLIENT TRACKING') || line.startsWith('CLIENT KILL'))
}

const ON = 'CLIENT TRACKING ON REDIRECT 2 BCAST NOLOOP PREFIX p:'

test('Tracker switches tracking on for the command connection, with a lane that listens as its target', async () => {
  const { link, clock, server, driver } = tracking()
  await clock.advance(10)
  assert.equal(driver.connections.length, 1)
  const { told, tracking: own } = listening(link)
  assert.equal(own.state, 'deaf')
  await clock.advance(10)
  assert.deepEqual(told, ['hearing hearing'])
  assert.ok(server.at(1).sent.includes('SUBSCRIBE __redis__:invalidate'))
  assert.deepEqual(sentBy(server.at(0)), ['CLIENT TRACKING OFF', ON, 'CLIENT TRACKINGINFO'])
  server.at(1).events.invalidated([Buffer.from('p:1'), Buffer.from('q:1')])
  server.at(1).events.invalidated([Buffer.from('q:1')])
  server.at(1).events.invalidated(null)
  assert.deepEqual(told.splice(1), ['p:1', 'all'])
  await link.close()
  assert.deepEqual([told.splice(1), own.state, clock.pendingTimers], [['deaf closed'], 'deaf', 0])
})

for (const [what, id, line, times] of [
  ['the server has confirmed', 1, 'CLIENT TRACKINGINFO', 1],
  // Two are of the handshake.
  ['the lane has answered too', 2, 'PING', 3],
] as const)
  test(`Tracker hears only once ${what}`, async () => {
    const { link, clock, server } = tracking()
    let seen = 0
    server.mute = (asked, at) => at === id && asked === line && ++seen === times
    const { told } = listening(link)
    await clock.advance(400)
    assert.deepEqual([told, server.at(id - 1).waiting], [[], [line]])
    server
      .at(id - 1)
      .reply(line === 'PING' ? 'PONG' : ['flags', ['on', 'bcast', 'noloop'], 'redirect', 2, 'prefixes', ['p:']])
    await clock.advance(0)
    assert.deepEqual(told, ['hearing hearing'])
    await link.close()
  })

for (const [index, which] of ['command connection', 'lane'].entries())
  test(`Tracker is deaf in the moment in which the ${which} ends, and tells one gap`, async (t) => {
    const gaps: string[] = []
    const note = ({ lane, reason }: { lane: string; reason: { code: string } }) =>
      void gaps.push(`${lane} ${reason.code}`)
    t.after(channels.linkGap.subscribe(note))
    const { link, clock, server, driver } = tracking()
    const { told, tracking: own } = listening(link)
    await clock.advance(2000)
    server.at(index).end(RESET)
    assert.deepEqual([told.at(-1), own.state, gaps], ['deaf reset', 'deaf', []])
    await clock.advance(1000)
    assert.deepEqual([told, gaps], [['hearing hearing', 'deaf reset', 'hearing hearing'], ['tracking reset']])
    assert.deepEqual([driver.connections.length, link.stats.gaps], [3, 1])
    await link.close()
  })

test('Tracker is told hearing after the connections that were left over are killed', async () => {
  const { link, clock, server } = tracking()
  listening(link)
  await clock.advance(2000)
  server.at(0).end(RESET)
  await clock.advance(1000)
  const again = ['CLIENT KILL ID 1', 'CLIENT TRACKING OFF', ON, 'CLIENT TRACKINGINFO']
  assert.deepEqual(sentBy(server.at(2)), again)
  await link.close()
})

test('Tracker never redirects to the id that its lane has on another server', async () => {
  const { link, clock, server, driver } = tracking()
  const { told } = listening(link)
  await clock.advance(2000)
  server.runId = 'run-2'
  server.at(0).end(RESET)
  await clock.advance(1000)
  assert.deepEqual(told, ['hearing hearing', 'deaf reset', 'hearing hearing'])
  assert.ok(server.at(1).killed)
  const on = driver.connections.flatMap(({ sent }) => sent).findLast((line) => line.startsWith('CLIENT TRACKING ON'))
  assert.equal(on, 'CLIENT TRACKING ON REDIRECT 4 BCAST NOLOOP PREFIX p:')
  await link.close()
})

test('Tracker waits with back-off while its lane leads to another server', async () => {
  const { link, clock, server, driver } = tracking()
  await clock.advance(10)
  server.runId = 'run-2'
  const { told } = listening(link)
  await clock.advance(10_000)
  assert.deepEqual(told, [])
  assert.ok(driver.connections.length > 5 && driver.connections.length < 25, `${driver.connections.length} connections`)
  await link.close()
})

for (const [what, exceptions, detail] of [
  ['the command is not permitted', { 'CLIENT TRACKING ON': NOPERM }, 'client|tracking'],
  ['the command is not known', { 'CLIENT TRACKING': UNKNOWN }, 'Unknown subcommand'],
  ['the channel is not permitted', { SUBSCRIBE: NOPERM }, 'NOPERM'],
  ['the server does not say who it is', { INFO: NOPERM }, 'run_id'],
  ['a proxy says OK to everything', { 'CLIENT TRACKINGINFO': 'OK' }, 'says of this connection: "OK"'],
  [
    'a proxy tracks for another connection',
    { 'CLIENT TRACKINGINFO': ['flags', ['on', 'bcast', 'noloop'], 'redirect', 77, 'prefixes', ['p:']] },
    '77',
  ],
] as const satisfies readonly (readonly [string, Exceptions, string])[])
  test(`Tracker says refused when ${what}, and asks again over the next connection`, async () => {
    const { link, clock, server, driver } = tracking()
    server.exceptions = exceptions
    const reasons: string[] = []
    const own = link.track('p:', { invalidated: () => undefined, state: (_, { text }) => void reasons.push(text) })
    await clock.advance(10_000)
    assert.deepEqual([own.state, reasons.length, link.health.state], ['refused', 1, 'up'])
    assert.ok(reasons[0]?.includes(detail), reasons[0])
    assert.equal(driver.connections.length, 2, 'no lane is kept, and none is tried')
    assert.equal(link.track('q:', { invalidated: () => undefined, state: () => undefined }).state, 'refused')
    server.exceptions = {}
    server.at(0).end(RESET)
    assert.equal(own.state, 'deaf')
    await clock.advance(1000)
    assert.equal(own.state, 'hearing')
    await link.close()
  })

test('Tracker takes another lane when the server does not know its id, and no third', async () => {
  const { link, clock, server, driver } = tracking()
  server.exceptions = { 'CLIENT TRACKING ON': NO_SUCH_ID }
  const { told } = listening(link)
  await clock.advance(5000)
  assert.deepEqual(told, ['refused tracking-refused'])
  assert.equal(driver.connections.length, 3)
  await link.close()
})

test('Tracker makes its lane anew when an answer does not come', async () => {
  const { link, clock, server, driver } = tracking()
  server.exceptions = { 'CLIENT TRACKINGINFO': undefined }
  const { told } = listening(link)
  await clock.advance(50)
  server.exceptions = {}
  await clock.advance(5000)
  assert.equal(told.at(-1), 'hearing hearing')
  assert.ok(driver.connections.length >= 3)
  await link.close()
})

test('Tracker adds a prefix without an interruption, and makes room for one that collides with a closed one', async () => {
  const { link, clock, server } = tracking()
  const [one, two] = [listening(link, 'p:'), listening(link, 'q:')]
  await clock.advance(10)
  const three = listening(link, 'r:')
  await clock.advance(10)
  assert.deepEqual([one.told, two.told, three.told], [['hearing hearing'], ['hearing hearing'], ['hearing hearing']])
  assert.equal(sentBy(server.at(0)).at(-2), 'CLIENT TRACKING ON REDIRECT 2 BCAST NOLOOP PREFIX r:')
  two.tracking.close()
  const again = listening(link, 'q:')
  await clock.advance(10)
  assert.deepEqual([again.told, sentBy(server.at(0)).at(-1)], [['hearing hearing'], 'CLIENT TRACKINGINFO'])
  again.tracking.close()
  listening(link, 'q')
  assert.deepEqual(one.told.splice(1), ['deaf not-hearing-yet'])
  await clock.advance(10)
  assert.deepEqual(one.told.splice(1), ['hearing hearing'])
  assert.equal(sentBy(server.at(0)).at(-3), 'CLIENT TRACKING OFF')
  await link.close()
})

test('Tracker refuses prefixes that are none or begin like another', async () => {
  const { link, clock } = tracking()
  listening(link, 'cache:')
  for (const prefix of ['', 'cache:', 'cache', 'cache:products', 7 as unknown as string])
    assert.throws(() => listening(link, prefix), { code: 'LINK_ARGUMENT', executed: 'no' })
  await clock.advance(10)
  await link.close()
})

test('Tracker leaves the server with the last that tracks', async () => {
  const { link, clock, server, driver } = tracking()
  const { told, tracking: own } = listening(link)
  await clock.advance(10)
  own.close()
  own.close()
  assert.ok(server.at(1).killed)
  assert.equal(sentBy(server.at(0)).at(-1), 'CLIENT TRACKING OFF')
  server.at(1).events.invalidated([Buffer.from('p:1')])
  await clock.advance(5000)
  assert.deepEqual([told, own.state, driver.connections.length], [['hearing hearing'], 'deaf', 2])
  const { told: later } = listening(link)
  await clock.advance(10)
  assert.deepEqual(later, ['hearing hearing'])
  assert.equal(link.stats.gaps, 0)
  await link.close()
})

test('Tracker sends nothing over quota or while isolated', async () => {
  const { link, clock, server, driver } = tracking()
  const { told } = listening(link)
  await clock.advance(10)
  link.isolate()
  assert.equal(told.at(-1), 'deaf isolated')
  assert.equal(clock.pendingTimers, 0)
  link.rejoin()
  await clock.advance(10)
  assert.equal(told.at(-1), 'hearing hearing')
  server.exceptions = { GET: QUOTA, HELLO: QUOTA }
  await assert.rejects(link.send(['GET', 'key']))
  assert.equal(told.at(-1), 'deaf request-quota')
  const connections = driver.connections.length
  await clock.advance(10_000)
  assert.ok(driver.connections.every(({ killed }) => killed))
  assert.equal(driver.connections.length, connections)
  await link.close()
})

test('Tracker goes on when a listener throws, closes the link, or ends the tracking in the middle', async () => {
  const { link, clock, server } = tracking()
  const told: string[] = []
  link.track('throws:', {
    invalidated: () => {
      throw new Error('of the application')
    },
    state: () => {
      throw new Error('of the application')
    },
  })
  const second: Tracking = link.track('closes:', {
    invalidated: () => second.close(),
    state: () => second.close(),
  })
  link.track('p:', {
    invalidated: () => void told.push('all'),
    state: (state) => {
      told.push(state)
      if (state === 'deaf') void link.close()
    },
  })
  await clock.advance(10)
  server.at(1).events.invalidated(null)
  server.at(1).end(RESET)
  assert.deepEqual(told, ['hearing', 'all', 'deaf'])
  await clock.advance(5000)
  assert.deepEqual([told, link.health.state, clock.pendingTimers], [['hearing', 'all', 'deaf'], 'closed', 0])
})
