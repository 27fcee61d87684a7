import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { DatabaseError } from '../errors.ts'
import { classify, faultError, ownFault } from './classify.ts'
import { Deadline } from './deadline.ts'
import { sqliteDialect } from './dialect.ts'
import type { Engine } from './engine.ts'
import { readSettings } from './options.ts'
import { Supervisor } from './supervisor.ts'

const place = 'fake'
const refused = faultError(classify(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), place), 'no')
const wrongPassword = faultError(classify(Object.assign(new Error('no'), { code: '28P01' }), place), 'no')
const lost = ownFault('lost', { place })

type Behaviour = 'answers' | 'silent' | DatabaseError

/** A server that answers, keeps silent or fails, and counts. */
class FakeServer {
  readonly clock = new FakeClock()
  behaviour: Behaviour = 'answers'
  schema: Behaviour = 'answers'
  writes: Behaviour = 'answers'
  drains = 0
  refreshes = 0
  asking = 0
  mostAsking = 0
  readonly askedAt: number[] = []
  readonly supervisor: Supervisor

  constructor(watchMs = 2000) {
    const settings = readSettings({ clock: this.clock, random: seeded(), watchMs })
    this.supervisor = new Supervisor({
      settings,
      openEngine: () => this.#engine(),
      upgrade: (_engine, deadline) => this.#behave(this.schema, deadline),
      writeProbe: (_engine, deadline) => this.#behave(this.writes, deadline),
    })
  }

  get state(): string {
    return this.supervisor.health.state
  }

  async started(): Promise<this> {
    this.supervisor.start()
    await this.clock.advance(1)
    assert.equal(this.state, 'up')
    return this
  }

  #engine(): Engine {
    const unused = (): never => assert.fail('not for this test')
    return {
      name: 'sqlite',
      dialect: sqliteDialect,
      address: place,
      notifications: {
        statement: undefined,
        deliver: unused,
        listen: unused,
        usable: () => undefined,
        close: () => undefined,
      },
      query: unused,
      lease: unused,
      probe: (deadline) => this.#probe(deadline),
      drain: () => void this.drains++,
      refresh: () => void this.refreshes++,
      close: async () => undefined,
    }
  }

  async #probe(deadline: Deadline): Promise<void> {
    this.askedAt.push(this.clock.now())
    this.asking += 1
    this.mostAsking = Math.max(this.mostAsking, this.asking)
    try {
      await this.#behave(this.behaviour, deadline)
    } finally {
      this.asking -= 1
    }
  }

  async #behave(behaviour: Behaviour, deadline: Deadline): Promise<void> {
    if (behaviour === 'answers') return
    if (behaviour !== 'silent') throw behaviour
    const silence = faultError(ownFault('connect-timeout', { place }), 'no')
    await deadline.guard(new Promise<never>(() => undefined), () => silence)
  }
}

function seeded(): () => number {
  let state = 7
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
}

const soon = (server: FakeServer): Deadline => new Deadline(server.clock, 10_000)

const gaps = (times: readonly number[]): number[] => times.slice(1).map((time, index) => time - (times[index] ?? 0))

test('start() connects once and lets calls in; a call that comes first waits for it', async () => {
  const server = new FakeServer()
  assert.throws(() => server.supervisor.admit(soon(server)), /not been called/)
  server.supervisor.start()
  const admitted = server.supervisor.admit(soon(server))
  await server.clock.advance(1)
  await admitted
  assert.equal(server.state, 'up')
  assert.equal(server.supervisor.admit(soon(server)), undefined)
})

test('a server that keeps silent at boot: calls are turned away after a second, at once from then on', async () => {
  const server = new FakeServer()
  server.behaviour = 'silent'
  server.supervisor.start()
  const waiting = assert.rejects(async () => server.supervisor.admit(soon(server)), { code: 'DATABASE_UNAVAILABLE' })
  await server.clock.advance(999)
  assert.equal(server.state, 'connecting')
  await server.clock.advance(1)
  await waiting
  assert.equal(server.state, 'down')
  assert.throws(() => server.supervisor.admit(soon(server)), { code: 'DATABASE_UNAVAILABLE', executed: 'no' })
})

test('attempts lie about a second apart at most, by chance, and no more than four hang', async () => {
  const server = new FakeServer()
  server.behaviour = 'silent'
  server.supervisor.start()
  await server.clock.advance(60_000)
  assert.ok(Math.max(...gaps(server.askedAt)) <= 1200, `${Math.max(...gaps(server.askedAt))} ms apart`)
  assert.ok(server.askedAt.length < 120, `${server.askedAt.length} attempts`)
  assert.ok(new Set(gaps(server.askedAt).map(Math.round)).size > 20)
  // One is ending while the next begins.
  assert.ok(server.mostAsking <= 5, `${server.mostAsking} at once`)
  server.behaviour = 'answers'
  await server.clock.advance(1201)
  assert.equal(server.state, 'up')
})

test('a wrong password is tried every few seconds, and no call is let in', async () => {
  const server = new FakeServer()
  server.behaviour = wrongPassword
  server.supervisor.start()
  await server.clock.advance(60_000)
  assert.equal(server.state, 'misconfigured')
  assert.ok(Math.max(...gaps(server.askedAt)) > 2000)
  assert.ok(server.askedAt.length < 50, `${server.askedAt.length} attempts`)
  server.behaviour = 'answers'
  await server.clock.advance(5001)
  assert.equal(server.state, 'up')
})

test('a suspicion is checked: an answer keeps it up, a refusal takes it down at once', async () => {
  const server = await new FakeServer().started()
  const before = server.askedAt.length
  server.supervisor.failed(lost)
  server.supervisor.failed(lost)
  await server.clock.advance(1)
  assert.deepEqual([server.state, server.askedAt.length - before, server.drains], ['up', 1, 0])
  server.behaviour = refused
  server.supervisor.failed(lost)
  await server.clock.advance(1)
  assert.deepEqual([server.state, server.supervisor.health.reason.code, server.drains], ['down', 'refused', 1])
})

test('a fault of one call is no suspicion', async () => {
  const server = await new FakeServer().started()
  const before = server.askedAt.length
  server.supervisor.failed(ownFault('unique', { place }))
  server.supervisor.failed(ownFault('statement-timeout', { place }))
  await server.clock.advance(1)
  assert.equal(server.askedAt.length, before)
})

test('silence is noticed: half a second with calls in flight, watchMs without', async () => {
  const server = await new FakeServer().started()
  server.behaviour = 'silent'
  server.supervisor.callBegan()
  await server.clock.advance(500 + 1000)
  assert.equal(server.state, 'down')
  const idle = await new FakeServer().started()
  idle.behaviour = 'silent'
  await idle.clock.advance(1999)
  assert.equal(idle.state, 'up')
  await idle.clock.advance(1001)
  assert.equal(idle.state, 'down')
})

test('as long as answers come nobody is asked; watchMs 0 asks nobody while nobody calls', async () => {
  const server = await new FakeServer().started()
  const before = server.askedAt.length
  for (let n = 0; n < 100; n++) {
    server.supervisor.callBegan()
    await server.clock.advance(100)
    server.supervisor.answered()
    server.supervisor.callEnded()
  }
  assert.equal(server.askedAt.length, before)
  const unwatched = await new FakeServer(0).started()
  await unwatched.clock.advance(3_600_000)
  assert.deepEqual([unwatched.askedAt.length, unwatched.clock.pendingTimers], [1, 0])
})

test('refused writes: reads go on, a small write is tried until it works', async () => {
  const server = await new FakeServer().started()
  const full = ownFault('disk-full', { place })
  server.writes = faultError(full, 'no')
  server.supervisor.failed(full)
  assert.equal(server.state, 'write-blocked')
  assert.equal(server.supervisor.admit(soon(server)), undefined)
  await server.clock.advance(10_000)
  assert.equal(server.state, 'write-blocked')
  server.writes = 'answers'
  await server.clock.advance(1001)
  assert.equal(server.state, 'up')
})

test('refused writes: connections are renewed with each try, not with each refused call', async () => {
  const server = await new FakeServer().started()
  const full = ownFault('disk-full', { place })
  server.writes = faultError(full, 'no')
  for (let calls = 0; calls < 1000; calls++) server.supervisor.failed(full)
  assert.equal(server.refreshes, 1)
  await server.clock.advance(10_000)
  assert.ok(server.refreshes >= 5 && server.refreshes <= 21, `${server.refreshes} times in 10 s`)
})

test('without its schema no call is let in; later attempts are spaced, and the one that succeeds counts', async () => {
  const server = new FakeServer()
  server.schema = faultError(ownFault('schema', { place }), 'no')
  server.supervisor.start()
  await server.clock.advance(30_000)
  assert.equal(server.state, 'misconfigured')
  assert.ok(server.askedAt.length < 40, `${server.askedAt.length} attempts`)
  server.schema = 'answers'
  await server.clock.advance(5001)
  assert.equal(server.state, 'up')
})

test('an answer that comes after the end of its era changes nothing', async () => {
  const server = await new FakeServer().started()
  server.behaviour = 'silent'
  server.supervisor.failed(lost)
  await server.clock.advance(10)
  server.supervisor.close()
  await server.clock.advance(10_000)
  assert.equal(server.state, 'closed')
})

test('close() leaves no timer, in whatever state', async () => {
  const up = await new FakeServer().started()
  const silent = new FakeServer()
  silent.behaviour = 'silent'
  silent.supervisor.start()
  await silent.clock.advance(3000)
  const failing = new FakeServer()
  failing.behaviour = refused
  failing.supervisor.start()
  await failing.clock.advance(3000)
  for (const server of [up, silent, failing]) {
    server.supervisor.close()
    await server.clock.advance(1)
    assert.equal(server.clock.pendingTimers, 0)
    assert.throws(() => server.supervisor.admit(new Deadline(new FakeClock(), 1)), { code: 'DATABASE_CLOSED' })
  }
})
