import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkError, ReplyError } from '../errors.ts'
import type { Argument, Reply } from './driver.ts'
import type { SendOptions } from './redis-link.ts'
import { Script } from './script.ts'

const SOURCE = 'return redis.call("INCR", KEYS[1])'
const NOSCRIPT = 'NOSCRIPT No matching script. Please use EVAL.'

/** Answers each call with what comes next; an error is thrown. Each answer takes `tookMs`. */
function linkThatAnswers(answers: (Reply | Error)[], tookMs = 0) {
  const calls: { args: readonly Argument[]; options: SendOptions | undefined }[] = []
  const clock = { time: 0, now: () => clock.time }
  const send = (args: readonly Argument[], options?: SendOptions): Promise<Reply> => {
    calls.push({ args, options })
    clock.time += tookMs
    const answer = answers.shift() ?? null
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  return { link: { send }, calls, clock }
}

test('Script.run() calls by the hash that Redis gives a script', async () => {
  const { link, calls, clock } = linkThatAnswers([7])
  const script = new Script(SOURCE, clock)
  assert.equal(await script.run(link, { keys: ['a'], args: ['1', 'x'], deadlineMs: 100 }), 7)
  assert.deepEqual(calls[0]?.args, ['EVALSHA', 'f793247de6e1e3c553cd42d39c812df499e679e4', '1', 'a', '1', 'x'])
  assert.equal(calls.length, 1)
})

test('Script.run() teaches the script to a server that does not know it, within the same deadline', async () => {
  const { link, calls, clock } = linkThatAnswers([new ReplyError(NOSCRIPT, { executed: 'no' }), 'OK'], 30)
  assert.equal(await new Script(SOURCE, clock).run(link, { keys: ['a'], args: [], deadlineMs: 100 }), 'OK')
  assert.deepEqual(calls[1]?.args, ['EVAL', SOURCE, '1', 'a'])
  assert.equal(calls[1].options?.deadlineMs, 70)
})

test('Script.run() does not send the script when the deadline has passed', async () => {
  const { link, calls, clock } = linkThatAnswers([new ReplyError(NOSCRIPT, { executed: 'no' })], 100)
  const run = new Script(SOURCE, clock).run(link, { keys: [], args: [], deadlineMs: 100 })
  await assert.rejects(run, (error) => error instanceof LinkError && error.code === 'LINK_DEADLINE')
  assert.equal(calls.length, 1)
})

test('Script.run() passes on every other error', async () => {
  const failure = new ReplyError('READONLY You cannot write against a read only replica.', { executed: 'no' })
  const { link, clock } = linkThatAnswers([failure])
  const run = new Script(SOURCE, clock).run(link, { keys: [], args: [], deadlineMs: 100 })
  await assert.rejects(run, (error) => error === failure)
})
