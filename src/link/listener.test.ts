import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channels } from '../telemetry/channels.ts'
import { callListener } from './listener.ts'

/** What notices say while `run` goes on, and which rejections nobody handled. */
async function noticed(run: () => void): Promise<{ messages: string[]; unhandled: unknown[] }> {
  const messages: string[] = []
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  const stopHearing = channels.notice.subscribe(({ message }) => void messages.push(message))
  process.on('unhandledRejection', note)
  run()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  stopHearing()
  return { messages, unhandled }
}

test('callListener() tells what a listener throws, and goes on', async () => {
  const { messages, unhandled } = await noticed(() =>
    callListener('test', 'A listener', () => {
      throw new Error('boom')
    }),
  )
  assert.deepEqual({ messages, unhandled }, { messages: ['A listener threw: boom'], unhandled: [] })
})

test('callListener() tells what an async listener rejects with, and the process goes on', async () => {
  const { messages, unhandled } = await noticed(() =>
    callListener('test', 'A listener', async () => {
      await Promise.resolve()
      throw new Error('boom later')
    }),
  )
  assert.deepEqual({ messages, unhandled }, { messages: ['A listener threw: boom later'], unhandled: [] })
})
