import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { LinkError, ReplyError } from '../errors.ts'
import type { RedisLink, Reply } from '../link/index.ts'
import { ReadBatch } from './read-batch.ts'

type Answers = (args: readonly string[]) => Reply | Error

/** A link that answers each command as told, and keeps what it was sent. */
function linkThat(answers: Answers, cluster = false): { readonly link: RedisLink; readonly sent: string[][] } {
  const sent: string[][] = []
  const link = {
    nodes: [] as unknown[],
    send(args: readonly string[]): Promise<Reply> {
      sent.push([...args])
      const answer = answers(args)
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
  }
  link.nodes = cluster ? [{}, {}] : [link]
  return { link: link as unknown as RedisLink, sent }
}

/** A server that holds `value of <key>` for every key but `none`. */
function holding(args: readonly string[]): Reply {
  const values = args.slice(1).map((key) => (key === 'none' ? null : `value of ${key}`))
  return args[0] === 'MGET' ? values : (values[0] ?? null)
}

function readAll(batch: ReadBatch, keys: readonly string[]): Promise<PromiseSettledResult<Reply>[]> {
  return Promise.allSettled(
    keys.map((key) => new Promise<Reply>((replied, unanswered) => batch.read(key, { replied, unanswered }))),
  )
}

function batchOver(link: RedisLink): ReadBatch {
  return new ReadBatch({ link, clock: systemClock, deadlineMs: 100, buffers: false })
}

test('ReadBatch sends what is read in one turn as one command, and a read alone as a GET', async () => {
  const { link, sent } = linkThat(holding)
  const batch = batchOver(link)
  const values = (await readAll(batch, ['a', 'none', 'b'])).map((one) => one.status === 'fulfilled' && one.value)
  assert.deepEqual(values, ['value of a', null, 'value of b'])
  await readAll(batch, ['c'])
  assert.deepEqual(sent, [
    ['MGET', 'a', 'none', 'b'],
    ['GET', 'c'],
  ])
})

test('ReadBatch joins callers who were answered together, and asks for at most 64 keys at once', async () => {
  const { link, sent } = linkThat(holding)
  const batch = batchOver(link)
  const keys = Array.from({ length: 130 }, (_, n) => `k${n}`)
  const again = async (key: string): Promise<void> => {
    await readAll(batch, [key])
    await readAll(batch, [`${key} again`])
  }
  await Promise.all(keys.map(again))
  const sizes = sent.map((args) => args.length - 1)
  assert.deepEqual(sizes.slice(0, 2), [64, 64])
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    2 * keys.length,
  )
  assert.ok(sizes.length <= 6, sizes.join(', '))
})

test('ReadBatch tells every reader when no answer comes, and asks nothing again', async () => {
  const { link, sent } = linkThat(() => new LinkError('LINK_DEADLINE', 'late', { executed: 'maybe' }))
  const outcomes = await readAll(batchOver(link), ['a', 'b'])
  assert.ok(outcomes.every((one) => one.status === 'rejected' && one.reason instanceof LinkError))
  assert.equal(sent.length, 1)
})

test('ReadBatch reads by GET for good where MGET is refused, and goes on where everything is', async () => {
  let refused: readonly string[] = ['GET', 'MGET']
  const { link, sent } = linkThat((args) =>
    refused.includes(args[0] ?? '') ? new ReplyError('NOPERM', { executed: 'no' }) : holding(args),
  )
  const batch = batchOver(link)
  assert.deepEqual(
    (await readAll(batch, ['a', 'b'])).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  refused = ['MGET']
  for (let turn = 0; turn < 2; turn++)
    assert.deepEqual(
      (await readAll(batch, ['a', 'b'])).map((one) => one.status === 'fulfilled' && one.value),
      ['value of a', 'value of b'],
    )
  assert.deepEqual(
    sent.map(([name]) => name),
    ['MGET', 'GET', 'GET', 'MGET', 'GET', 'GET', 'GET', 'GET'],
  )
})

test('ReadBatch reads each key of a cluster by itself', async () => {
  const { link, sent } = linkThat(holding, true)
  await readAll(batchOver(link), ['a', 'b'])
  assert.deepEqual(sent, [
    ['GET', 'a'],
    ['GET', 'b'],
  ])
})
