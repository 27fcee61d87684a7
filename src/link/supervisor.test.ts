import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeErrorReply, healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts, type PartsOptions } from '../../test/support/link-parts.ts'
import { commandOf } from './commands/commands.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import type { HealthState } from './health.ts'
import { Supervisor } from './supervisor.ts'

const READ = commandOf(['GET', 'key'])
const WRITE = commandOf(['SET', 'key', '1'])
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

function supervised(options: PartsOptions & { readonly onState?: (state: HealthState) => void } = {}) {
  const parts = linkParts(options)
  const states: HealthState[] = []
  const supervisor = new Supervisor({
    ...parts,
    isolated: undefined,
    onHealth: ({ state }) => {
      states.push(state)
      options.onState?.(state)
    },
    onAttempt: () => undefined,
    onIdentified: () => undefined,
    onSettled: () => undefined,
  })
  return { ...parts, supervisor, states }
}

type Supervised = ReturnType<typeof supervised>

/** Lets the connection end, and the link come back. */
async function outage({ driver, clock }: Supervised): Promise<void> {
  driver.last.end(RESET)
  await clock.advance(200)
}

test('Supervisor is up after the handshake, and not before', async () => {
  const { supervisor, clock, driver, states } = supervised()
  driver.answers = healthyBut({ PING: undefined })
  supervisor.start()
  await clock.advance(10)
  assert.equal(supervisor.health.state, 'connecting')
  driver.last.reply('PONG')
  driver.last.reply('PONG')
  await clock.advance(0)
  assert.deepEqual(states, ['up'])
  assert.ok(supervisor.admit(WRITE) !== undefined)
  supervisor.close()
})

test('Supervisor goes down with the true cause at once when the connection ends, and comes back', async () => {
  const parts = supervised()
  const { supervisor, clock, driver } = parts
  supervisor.start()
  await clock.advance(10)
  driver.last.end(RESET)
  assert.equal(supervisor.health.state, 'down')
  assert.equal(supervisor.health.reason.code, 'reset')
  assert.equal(supervisor.admit(READ), undefined)
  await clock.advance(200)
  assert.equal(supervisor.health.state, 'up')
  supervisor.close()
})

test('Supervisor takes nonsense on a connection that had worked for an outage, also on the first', async () => {
  const { supervisor, clock, driver } = supervised()
  supervisor.start()
  await clock.advance(10)
  driver.last.end(new Error('Unknown RESP type 72 "H". Please report this.'))
  assert.equal(supervisor.health.reason.code, 'not-redis')
  assert.equal(supervisor.health.state, 'down')
  supervisor.close()
})

test('Supervisor finds a silent connection by two heartbeats when nobody calls', async () => {
  const { supervisor, clock, driver } = supervised()
  supervisor.start()
  await clock.advance(10)
  driver.last.answers = driver.answers = () => undefined
  await clock.advance(1800)
  assert.equal(supervisor.health.state, 'up')
  await clock.advance(400)
  assert.equal(supervisor.health.state, 'down')
  assert.equal(supervisor.health.reason.code, 'silent')
  supervisor.close()
})

test('Supervisor keeps reads while writes are blocked, and is up when a probe is taken', async () => {
  const { supervisor, clock, driver } = supervised()
  driver.answers = healthyBut({ PING: new FakeErrorReply('MISCONF Redis is configured to save RDB snapshots') })
  supervisor.start()
  await clock.advance(10)
  assert.equal(supervisor.health.state, 'write-blocked')
  assert.ok(supervisor.admit(READ) !== undefined)
  assert.equal(supervisor.admit(WRITE), undefined)
  driver.last.answers = healthyBut({})
  await clock.advance(1100)
  assert.equal(supervisor.health.state, 'up')
  supervisor.close()
})

test('Supervisor finds a silent connection while writes are blocked as soon as at any other time', async () => {
  const { supervisor, clock, driver, states } = supervised()
  const refusal = new FakeErrorReply('MISCONF Redis is configured to save RDB snapshots')
  driver.answers = healthyBut({ PING: refusal, SET: refusal })
  supervisor.start()
  await clock.advance(30_000)
  assert.deepEqual(states, ['write-blocked'])
  driver.last.answers = driver.answers = () => undefined
  await clock.advance(2200)
  assert.equal(supervisor.health.state, 'down')
  supervisor.close()
})

test('Supervisor keeps the connection of a server that is loading and asks it again', async () => {
  const { supervisor, clock, driver, states } = supervised()
  driver.answers = healthyBut({ PING: new FakeErrorReply('LOADING Redis is loading the dataset in memory') })
  supervisor.start()
  await clock.advance(2000)
  driver.last.answers = healthyBut({})
  await clock.advance(1100)
  assert.deepEqual(states, ['not-ready', 'up'])
  assert.equal(driver.connections.length, 1)
  supervisor.close()
})

test('Supervisor holds a link back that comes back for the second time within a minute', async () => {
  const parts = supervised()
  const { supervisor, clock, states } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  await outage(parts)
  assert.deepEqual(states, ['up', 'down', 'up', 'down', 'recovering'])
  assert.equal(supervisor.admit(READ), undefined)
  await clock.advance(1600)
  assert.equal(supervisor.health.state, 'up')
  supervisor.close()
})

test('Supervisor moves on from a replica to the master at once, however often it has been away', async () => {
  const parts = supervised()
  const { supervisor, clock, driver, states } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  driver.answers = healthyBut({ ROLE: ['slave', '10.0.0.2', 6379, 'connected', 0] })
  await outage(parts)
  assert.equal(supervisor.health.reason.code, 'read-only-replica')
  driver.answers = healthyBut({})
  await clock.advance(1100)
  assert.deepEqual(states.slice(-2), ['write-blocked', 'up'])
  assert.ok(driver.connections.at(-2)?.killed)
  supervisor.close()
})

test('Supervisor does not hurry back to a server that ends every connection a moment later', async () => {
  const parts = supervised()
  const { supervisor, clock, driver } = parts
  supervisor.start()
  for (let cut = 0; cut < 1000; cut++) {
    await clock.advance(20)
    driver.last.end(RESET)
  }
  // 20 s with half a second of pause on average, and the time of the connections themselves.
  assert.ok(driver.connections.length < 45, `${driver.connections.length} connections in 20 s`)
  await clock.advance(10_000)
  driver.last.end(RESET)
  const before = driver.connections.length
  await clock.advance(160)
  assert.equal(driver.connections.length, before + 1)
  supervisor.close()
})

test('Supervisor has the connections killed that it gave up, by their id, when the same server answers again', async () => {
  const parts = supervised()
  const { supervisor, clock, driver } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  assert.ok(driver.last.sent.includes('CLIENT KILL ID 1'))
  supervisor.isolate(reasonOf(LINK_FAULTS.isolated))
  supervisor.rejoin()
  await clock.advance(10)
  assert.equal(driver.last.sent.filter((line) => line === 'CLIENT KILL ID 1').length, 1)
  driver.answers = healthyBut({ INFO: '# Server\r\nrun_id:run-2\r\n' })
  await outage(parts)
  assert.ok(!driver.last.sent.includes('CLIENT KILL ID 1'))
  supervisor.close()
})

for (const state of ['up', 'down', 'not-ready', 'write-blocked', 'recovering'] as const) {
  test(`Supervisor leaves nothing behind when a listener closes it on '${state}'`, async () => {
    const parts = supervised({
      onState: (entered) => {
        if (entered === state) parts.supervisor.close()
      },
    })
    const { supervisor, clock, driver } = parts
    if (state === 'not-ready') driver.answers = healthyBut({ PING: new FakeErrorReply('LOADING Redis is loading') })
    if (state === 'write-blocked') driver.answers = healthyBut({ PING: new FakeErrorReply('MISCONF Errors writing') })
    supervisor.start()
    await clock.advance(10)
    if (state === 'down' || state === 'recovering') await outage(parts)
    if (state === 'recovering') await outage(parts)
    assert.equal(supervisor.health.state, 'closed')
    assert.equal(clock.pendingTimers, 0)
    assert.ok(driver.connections.every(({ killed }, index) => killed || index < driver.connections.length - 1))
    const opened = driver.connections.length
    await clock.advance(60_000)
    assert.equal(driver.connections.length, opened)
  })
}

test('Supervisor finds a connection dead that fell silent while it was held back', async () => {
  let heldAt = 0
  const parts = supervised({
    onState: (state) => {
      if (state === 'recovering') heldAt = parts.clock.now()
    },
  })
  const { supervisor, clock, driver, states } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  await outage(parts)
  // The hold and the ramp end while the last PING of the quick pulse waits.
  await clock.advance(heldAt + 1400 - clock.now())
  driver.last.answers = driver.answers = () => undefined
  await clock.advance(200)
  assert.deepEqual(states.slice(-2), ['recovering', 'up'])
  await clock.advance(2500)
  assert.equal(states.at(-1), 'down')
  supervisor.close()
})

test('Supervisor that a listener isolates comes back by rejoin()', async () => {
  const parts = supervised({
    onState: (state) => {
      if (state === 'down') parts.supervisor.isolate(reasonOf(LINK_FAULTS.isolated))
    },
  })
  const { supervisor, clock, driver } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  assert.equal(supervisor.health.state, 'isolated')
  assert.equal(clock.pendingTimers, 0)
  supervisor.rejoin()
  await clock.advance(10)
  assert.equal(supervisor.health.state, 'up')
  assert.equal(driver.connections.length, 2)
  supervisor.close()
})

test('Supervisor that is up again over its old connection does not take the one that looked for the master', async () => {
  const parts = supervised()
  const { supervisor, clock, driver, states } = parts
  supervisor.start()
  await clock.advance(10)
  await outage(parts)
  driver.answers = healthyBut({ ROLE: ['slave', '10.0.0.2', 6379, 'connected', 0] })
  await outage(parts)
  assert.equal(supervisor.health.state, 'write-blocked')
  const old = driver.last
  driver.answers = healthyBut({ PING: undefined })
  await clock.advance(1000)
  assert.notEqual(driver.last, old, 'it looks for the master')
  old.answers = healthyBut({ GET: new FakeErrorReply('LOADING Redis is loading the dataset in memory') })
  supervisor
    .admit(READ)
    ?.request(['GET', 'key'], 250)
    .catch(() => undefined)
  await clock.advance(300)
  assert.deepEqual(states.slice(-2), ['not-ready', 'recovering'])
  await clock.advance(1)
  driver.last.reply('PONG')
  driver.last.reply('PONG')
  await clock.advance(5000)
  assert.deepEqual(states.slice(-2), ['recovering', 'up'])
  assert.ok(!old.killed)
  assert.ok(driver.last.killed)
  supervisor.close()
})
