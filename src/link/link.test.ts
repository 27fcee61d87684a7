import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkError, OptionError } from '../errors.ts'
import { createLink } from './link.ts'

test('createLink() refuses an option that nobody reads, by name', () => {
  const misspelt = { url: 'redis://127.0.0.1', readDeadline: 100 }
  assert.throws(
    () => createLink(misspelt),
    (error) => error instanceof OptionError && error.option === 'readDeadline',
  )
})

test('createLink() refuses a name that CLIENT LIST could not show', () => {
  assert.throws(() => createLink({ name: 'two words' }), /Expected 'name'/)
})

test('createLink() in memory mode refuses every call at once and says why', async () => {
  const link = createLink({ memoryMode: true })
  link.start()
  assert.equal(link.health.state, 'isolated')
  await assert.rejects(link.send(['GET', 'key']), (error) => {
    assert.ok(error instanceof LinkError)
    assert.deepEqual([error.code, error.executed, error.reason?.code], ['LINK_UNAVAILABLE', 'no', 'memory-mode'])
    return true
  })
  await link.close()
})

test('rejoin() of a link that knows no Redis says so and changes nothing', () => {
  const link = createLink({ memoryMode: true })
  assert.throws(() => link.rejoin(), /nobody has said where Redis is/)
  assert.equal(link.health.state, 'isolated')
})

test('a closed link refuses calls, subscriptions and lanes without a word to the network', async () => {
  const link = createLink('redis://127.0.0.1:1')
  await link.close()
  await assert.rejects(link.send(['PING']), { code: 'LINK_CLOSED', executed: 'no' })
  await assert.rejects(link.subscribe('channel', ['news'], { message: () => undefined }).ready, { code: 'LINK_CLOSED' })
  await assert.rejects(link.blocking().send(['BLPOP', 'list', '1'], { blockMs: 1000 }), { code: 'LINK_CLOSED' })
})

test('send() refuses commands that would harm the shared connection, and says where they belong', async () => {
  const link = createLink('redis://127.0.0.1:1')
  const cases: [string[], RegExp][] = [
    [['BLPOP', 'list', '0'], /link\.blocking/],
    [['SUBSCRIBE', 'news'], /link\.subscribe/],
    [['SELECT', '1'], /everybody who shares it/],
    [['MULTI'], /everybody who shares it/],
    [[], /at least one word/],
  ]
  for (const [args, message] of cases)
    await assert.rejects(link.send(args), (error) => {
      assert.ok(error instanceof LinkError && error.code === 'LINK_ARGUMENT' && error.executed === 'no')
      assert.match(error.message, message)
      return true
    })
  await link.close()
})
