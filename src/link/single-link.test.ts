import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkError } from '../errors.ts'
import { FakeErrorReply, healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts, singleLink, type PartsOptions } from '../../test/support/link-parts.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import type { SingleLinkOptions } from './single-link.ts'

const QUOTA = new FakeErrorReply('ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.')

function linked(
  options: PartsOptions & { readonly isolated?: boolean; readonly watch?: SingleLinkOptions['watch'] } = {},
) {
  const parts = linkParts(options)
  const link = singleLink(parts, {
    isolated: options.isolated === true ? reasonOf(LINK_FAULTS.memoryMode) : undefined,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
  })
  return { ...parts, link }
}

/** What a call was told. */
async function told(call: Promise<unknown>): Promise<string> {
  return await call.then(
    (reply) => `answered ${String(reply)}`,
    (error: LinkError) => `${error.code} ${error.executed}`,
  )
}

test('SingleLink refuses at once what it does not send', async () => {
  const { link, clock } = linked({ tuning: { maxInFlight: 1 } })
  assert.equal(await told(link.send(['GET', 'key'])), 'LINK_UNAVAILABLE no')
  link.start()
  await clock.advance(10)
  assert.equal(await told(link.send(['BLPOP', 'list', '0'])), 'LINK_ARGUMENT no')
  assert.equal(await told(link.send([])), 'LINK_ARGUMENT no')
  assert.equal(await told(link.send(['GET', 'key'], { deadlineMs: 0 })), 'LINK_ARGUMENT no')
  const first = link.send(['GET', 'key'])
  assert.equal(await told(link.send(['GET', 'key'])), 'LINK_BUSY no')
  assert.equal(await told(first), 'answered OK')
  await link.close()
  assert.equal(await told(link.send(['GET', 'key'])), 'LINK_CLOSED no')
})

test('SingleLink waits for a read and for a write as long as each may take, and no longer', async () => {
  const { link, clock, driver } = linked()
  link.start()
  await clock.advance(10)
  driver.last.answers = () => undefined
  const at: string[] = []
  for (const args of [
    ['GET', 'key'],
    ['SET', 'key', '1'],
  ])
    void told(link.send(args)).then((text) => at.push(`${clock.now() - 10} ${text}`))
  await clock.advance(600)
  assert.deepEqual(at, ['250 LINK_DEADLINE maybe', '500 LINK_DEADLINE maybe'])
  await link.close()
})

test('SingleLink sends nothing while it is isolated, and connects again by rejoin()', async () => {
  const { link, clock, driver } = linked({ isolated: true })
  link.start()
  await clock.advance(10_000)
  assert.equal(driver.connections.length, 0)
  link.rejoin()
  await clock.advance(10)
  assert.equal(link.health.state, 'up')
  link.isolate('maintenance')
  assert.equal(await told(link.send(['GET', 'key'])), 'LINK_UNAVAILABLE no')
  assert.ok(driver.last.killed)
  assert.equal(clock.pendingTimers, 0)
  await link.close()
})

test('SingleLink sends nothing on any lane while the quota is used up', async () => {
  const { link, clock, driver } = linked()
  const ready = { news: false }
  const subscription = link.subscribe('channel', ['news'], { message: () => undefined })
  void subscription.ready.then(() => (ready.news = true))
  link.start()
  await clock.advance(10)
  assert.ok(ready.news)
  for (const connection of driver.connections) connection.answers = () => QUOTA
  driver.answers = () => QUOTA
  assert.equal(await told(link.send(['GET', 'key'])), 'REDIS_REPLY no')
  assert.equal(link.health.state, 'over-quota')
  subscription.close()
  link.subscribe('channel', ['prices'], { message: () => undefined })
  const sent = driver.connections.map((connection) => connection.sent.length)
  await clock.advance(50_000)
  assert.deepEqual(
    driver.connections.map((connection) => connection.sent.length),
    sent,
  )
  driver.answers = healthyBut({})
  await clock.advance(11_000)
  assert.equal(link.health.state, 'up')
  await link.close()
})

test('SingleLink tells a listener nothing that another one has made out of date', async () => {
  const { link, clock, driver } = linked()
  const states: string[] = []
  link.onHealth(({ state }) => {
    if (state === 'down') link.isolate()
  })
  link.onHealth(({ state }) => void states.push(state))
  link.start()
  await clock.advance(10)
  driver.last.end(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  assert.deepEqual(states, ['up', 'isolated'])
  await link.close()
})

test('SingleLink has counters that add up', async () => {
  const { link, clock, driver } = linked()
  link.start()
  await clock.advance(10)
  const calls = [told(link.send(['GET', 'a'])), told(link.send(['SET', 'b', '1']))]
  driver.last.answers = () => undefined
  calls.push(told(link.send(['GET', 'c'])), told(link.send(['SET', 'd', '1'])))
  await clock.advance(300)
  await link.close()
  assert.deepEqual(await Promise.all(calls), ['answered OK', 'answered OK', 'LINK_DEADLINE maybe', 'LINK_LOST maybe'])
  const { sent, answered, deadlines, lost, inFlight } = link.stats
  assert.deepEqual([deadlines, lost, inFlight], [1, 1, 0])
  assert.equal(sent, answered + deadlines + lost)
})

test('SingleLink leaves nothing behind when it is closed, and fails what is in flight', async () => {
  const { link, clock, driver } = linked()
  link.start()
  link.subscribe('channel', ['news'], { message: () => undefined })
  const lane = link.blocking()
  await clock.advance(10)
  for (const connection of driver.connections) connection.answers = () => undefined
  driver.answers = healthyBut({ BLPOP: undefined })
  const calls = [told(link.send(['SET', 'key', '1'])), told(lane.send(['BLPOP', 'list', '0'], { blockMs: 10_000 }))]
  await clock.advance(10)
  await link.close()
  assert.deepEqual(await Promise.all(calls), ['LINK_LOST maybe', 'LINK_LOST maybe'])
  assert.ok(driver.connections.every(({ killed }) => killed))
  assert.equal(clock.pendingTimers, 0)
  await clock.advance(60_000)
  assert.equal(driver.connections.length, 3)
})

test('SingleLink leaves a server at once that another one has replaced, with all its connections', async () => {
  const watch: string[] = []
  let moved: (detail: string) => void = () => undefined
  const { link, clock, driver } = linked({
    watch: (tell) => {
      moved = tell
      return { start: () => void watch.push('start'), stop: () => void watch.push('stop') }
    },
  })
  link.start()
  await clock.advance(10)
  link.subscribe('channel', ['news'], { message: () => undefined })
  await clock.advance(10)
  const [commands, subscriber] = driver.connections
  assert.ok(commands !== undefined && subscriber !== undefined)
  commands.answers = () => undefined
  const inFlight = told(link.send(['SET', 'key', '1']))
  moved('10.0.0.1 was replaced by 10.0.0.2')
  assert.equal(await inFlight, 'LINK_LOST maybe')
  assert.equal(link.health.state, 'down')
  assert.equal(link.health.reason.code, 'failover')
  assert.ok(commands.killed && subscriber.killed)
  await clock.advance(200)
  assert.equal(link.health.state, 'up')
  link.isolate()
  link.rejoin()
  await link.close()
  assert.deepEqual(watch, ['start', 'stop', 'start', 'stop'])
})

test('SingleLink breaks off an attempt at a server that another one has replaced, and begins anew', async () => {
  let moved: (detail: string) => void = () => undefined
  const { link, clock, driver } = linked({
    watch: (tell) => {
      moved = tell
      return { start: () => undefined, stop: () => undefined }
    },
  })
  driver.answers = () => undefined
  link.start()
  await clock.advance(10)
  driver.answers = healthyBut({})
  moved('10.0.0.1 was replaced by 10.0.0.2')
  await clock.advance(200)
  assert.equal(link.health.state, 'up')
  assert.equal(driver.connections.length, 2)
  await link.close()
})

test('SingleLink does not take the server for slow because one caller has no time', async () => {
  const { link, clock, driver } = linked()
  link.start()
  await clock.advance(10)
  driver.last.answers = () => undefined
  const answers: string[] = []
  for (let call = 0; call < 40; call++) {
    void told(link.send(['GET', 'key'], { deadlineMs: 1 })).then((text) => answers.push(text))
    await clock.advance(20)
    driver.last.reply('value')
  }
  await clock.advance(0)
  assert.equal(new Set(answers).size, 1)
  assert.deepEqual([answers[0], link.health.state, link.stats.lateReplies], ['LINK_DEADLINE maybe', 'up', 40])
  await link.close()
})
