import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkError, type LinkErrorOptions } from '../errors.ts'
import type { Reply } from './driver.ts'
import { Suspicion } from './suspicion.ts'

function silence(options: Partial<LinkErrorOptions> = {}): LinkError {
  return new LinkError('LINK_DEADLINE', 'No answer.', { executed: 'maybe', retryable: true, ...options })
}

function rejected(error: Error): Promise<never> {
  return Promise.reject(error)
}

/** A link whose PINGs are answered one by one. */
function rig() {
  const pings: PromiseWithResolvers<Reply>[] = []
  let cleared = 0
  const link = {
    send: (): Promise<Reply> => {
      const ping = Promise.withResolvers<Reply>()
      pings.push(ping)
      return ping.promise
    },
  }
  const suspicion = new Suspicion({ link, onCleared: () => (cleared += 1) })
  const fails = async (error: Error): Promise<void> => {
    await assert.rejects(
      suspicion.watch(() => rejected(error)),
      error,
    )
  }
  return { suspicion, pings, fails, cleared: () => cleared }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('one call without an answer is enough, until Redis answers a PING', async () => {
  const { suspicion, pings, fails, cleared } = rig()
  await Promise.all([fails(silence()), fails(silence())])
  assert.deepEqual([suspicion.suspected, pings.length], [true, 1], 'one asks for all')
  pings[0]?.reject(silence())
  await turn()
  assert.deepEqual([suspicion.suspected, pings.length, cleared()], [true, 2, 0], 'asked again')
  pings[1]?.resolve('PONG')
  await turn()
  assert.deepEqual([suspicion.suspected, cleared()], [false, 1])
})

test('it is over when the link sends nothing any more: that one knows', async () => {
  const { suspicion, pings, fails, cleared } = rig()
  await fails(silence())
  pings[0]?.reject(new LinkError('LINK_UNAVAILABLE', 'Away.', { executed: 'no', retryable: true }))
  await turn()
  assert.deepEqual([suspicion.suspected, cleared()], [false, 1])
})

test('no suspicion: an answer to another call since, our own standstill, a call that was never sent, any other error', async () => {
  const { suspicion, pings, fails } = rig()
  const slow = Promise.withResolvers<Reply>()
  const waits = assert.rejects(suspicion.watch(() => slow.promise))
  assert.equal(await suspicion.watch(() => Promise.resolve('answer')), 'answer')
  slow.reject(silence())
  await waits
  await fails(silence({ stalledMs: 300 }))
  await fails(silence({ executed: 'no' }))
  await fails(new LinkError('LINK_LOST', 'Lost.', { executed: 'maybe', retryable: true }))
  assert.deepEqual([suspicion.suspected, pings], [false, []])
})
