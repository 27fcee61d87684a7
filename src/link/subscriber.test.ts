import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeErrorReply, healthy, type Answers } from '../../test/support/fake-driver.ts'
import { linkParts } from '../../test/support/link-parts.ts'
import type { Gap } from './redis-link.ts'
import { Subscriber } from './subscriber.ts'

const NOPERM = new FakeErrorReply('NOPERM this user has no permissions to access one of the channels used as arguments')
const BUSY = new FakeErrorReply(
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
)
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

function subscribing() {
  const parts = linkParts()
  const state = { serving: true }
  const subscriber = new Subscriber({
    ...parts,
    link: 'test',
    serving: () => state.serving,
  })
  return { ...parts, subscriber, state }
}

type Subscribing = ReturnType<typeof subscribing>

/** A listener that notes what it is told. */
function listening({ subscriber }: Subscribing, name: string, kind: 'channel' | 'pattern' = 'channel') {
  const told: string[] = []
  const gaps: Gap[] = []
  const subscription = subscriber.subscribe(kind, [name], {
    message: (channel, payload) => void told.push(`${channel} ${payload.toString()}`),
    gap: (gap) => {
      told.push('gap')
      gaps.push(gap)
    },
  })
  subscription.ready.then(
    () => told.push('ready'),
    (error: Error) => told.push(error.message),
  )
  return { told, gaps, subscription }
}

/** Answers like a healthy server, but for these commands, given as they are sent. */
function but(exceptions: Readonly<Record<string, ReturnType<Answers>>>): Answers {
  return (args) => {
    const line = args.join(' ')
    return Object.hasOwn(exceptions, line) ? exceptions[line] : healthy(args)
  }
}

test('Subscriber connects when somebody subscribes, and not before', async () => {
  const parts = subscribing()
  parts.subscriber.healthChanged()
  await parts.clock.advance(10)
  assert.equal(parts.driver.connections.length, 0)
  const { told } = listening(parts, 'news')
  await parts.clock.advance(10)
  parts.driver.last.events.message('news', Buffer.from('1'), undefined)
  assert.deepEqual(told, ['ready', 'news 1'])
  parts.subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber tells one gap per interruption, before the messages that follow it', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  const { told, gaps } = listening(parts, 'news')
  listening(parts, 'price*', 'pattern')
  await clock.advance(3000)
  driver.answers = but({ 'PSUBSCRIBE price*': undefined })
  driver.last.end(RESET)
  await clock.advance(500)
  driver.last.events.message('news', Buffer.from('2'), undefined)
  assert.deepEqual(told, ['ready'])
  driver.last.reply('OK')
  await clock.advance(0)
  assert.deepEqual(told, ['ready', 'gap', 'news 2'])
  assert.equal(gaps[0]?.reason.code, 'reset')
  assert.equal(gaps[0]?.until, clock.wallNow())
  assert.equal(parts.counters.gaps, 1)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber lets a gap begin where the last answered question was asked, however late the answer came', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  const { gaps } = listening(parts, 'news')
  await clock.advance(10)
  const began = clock.wallNow() - 10
  driver.last.answers = () => undefined
  // The heartbeat asks a second after the last answer; its own answer takes 400 ms.
  await clock.advance(1390)
  driver.last.reply('PONG')
  await clock.advance(300)
  driver.last.end(RESET)
  await clock.advance(500)
  assert.equal((gaps[0]?.since ?? 0) - began, 1000)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber gives up only the subscription that is not permitted', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  driver.answers = (args) => (args.includes('secret') ? NOPERM : healthy(args))
  const refused = listening(parts, 'secret')
  const permitted = listening(parts, 'news')
  await clock.advance(5000)
  assert.deepEqual(refused.told, [NOPERM.message])
  assert.deepEqual(permitted.told, ['ready'])
  const later = listening(parts, 'secret')
  await clock.advance(10)
  assert.deepEqual(later.told, [NOPERM.message])
  assert.equal(driver.connections.length, 1)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

for (const [what, answer] of [
  ['gets no answer', undefined],
  ['meets a busy server', BUSY],
] as const) {
  test(`Subscriber keeps a subscription that ${what}, and tries again over a new connection`, async () => {
    const parts = subscribing()
    const { clock, driver, subscriber } = parts
    const first = listening(parts, 'news')
    await clock.advance(10)
    driver.last.answers = but({ 'SUBSCRIBE prices': answer })
    const second = listening(parts, 'prices')
    await clock.advance(2000)
    assert.deepEqual(second.told, ['ready'])
    assert.deepEqual(first.told, ['ready', 'gap'])
    assert.equal(driver.connections.length, 2)
    subscriber.close({ code: 'closed', text: '', nextStep: '' })
  })
}

test('Subscriber calls a subscription ready when the server has confirmed that one', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  driver.answers = but({ 'SUBSCRIBE news': undefined })
  const first = listening(parts, 'news')
  await clock.advance(10)
  const second = listening(parts, 'prices')
  const third = listening(parts, 'news')
  assert.deepEqual(driver.last.waiting, ['SUBSCRIBE news', 'SUBSCRIBE prices', 'SUBSCRIBE news'])
  driver.last.reply('OK')
  await clock.advance(0)
  assert.deepEqual([first.told, second.told], [['ready'], []])
  driver.last.reply('OK')
  driver.last.reply('OK')
  await clock.advance(0)
  assert.deepEqual([second.told, third.told], [['ready'], ['ready']])
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber unsubscribes with the last listener of a name, and disconnects with the last of all', async () => {
  const parts = subscribing()
  const { clock, driver } = parts
  const [first, second, other] = [listening(parts, 'news'), listening(parts, 'news'), listening(parts, 'prices')]
  await clock.advance(10)
  first.subscription.close()
  assert.ok(!driver.last.sent.includes('UNSUBSCRIBE news'))
  second.subscription.close()
  assert.ok(driver.last.sent.includes('UNSUBSCRIBE news'))
  driver.last.events.message('news', Buffer.from('late'), undefined)
  other.subscription.close()
  assert.ok(driver.last.killed)
  await clock.advance(5000)
  assert.deepEqual(first.told, ['ready'])
  assert.deepEqual([driver.connections.length, clock.pendingTimers], [1, 0])
})

test('Subscriber asks for a sign of life at once when the link no longer serves', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber, state } = parts
  listening(parts, 'news')
  await clock.advance(10)
  driver.last.answers = () => undefined
  state.serving = false
  subscriber.healthChanged()
  await clock.advance(520)
  assert.ok(driver.last.killed)
  assert.equal(driver.connections.length, 1)
  state.serving = true
  subscriber.healthChanged()
  await clock.advance(10)
  assert.equal(driver.connections.length, 2)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber beats once a second, whatever the link went through before', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber, state } = parts
  listening(parts, 'news')
  await clock.advance(10)
  for (const serving of [false, true, false, true]) {
    state.serving = serving
    subscriber.healthChanged()
    await clock.advance(1)
  }
  const before = driver.last.sent.length
  await clock.advance(10_000)
  const beats = driver.last.sent.length - before
  assert.ok(beats >= 8 && beats <= 11, `${beats} in 10 s`)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})

test('Subscriber leaves nothing behind when it is closed in the middle of a subscription', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  driver.answers = but({ 'SUBSCRIBE news': undefined })
  const { told } = listening(parts, 'news')
  await clock.advance(10)
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
  await clock.advance(0)
  assert.equal(clock.pendingTimers, 0)
  assert.deepEqual(told, ['The subscription was closed.'])
  assert.ok(driver.last.killed)
})

test('Subscriber goes on when a listener throws', async () => {
  const parts = subscribing()
  const { clock, driver, subscriber } = parts
  subscriber.subscribe('channel', ['news'], {
    message: () => {
      throw new Error('of the application')
    },
  })
  const { told } = listening(parts, 'news')
  await clock.advance(10)
  driver.last.events.message('news', Buffer.from('1'), undefined)
  assert.deepEqual(told, ['ready', 'news 1'])
  subscriber.close({ code: 'closed', text: '', nextStep: '' })
})
