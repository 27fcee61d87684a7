import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLookup, lookup } from './lookup.ts'

/** A resolver that answers when the test says so. */
function scripted() {
  const asked: string[] = []
  const questions = new Map<string, PromiseWithResolvers<readonly string[]>>()
  const resolve = (host: string): Promise<readonly string[]> => {
    asked.push(host)
    const question = Promise.withResolvers<readonly string[]>()
    questions.set(host, question)
    return question.promise
  }
  const answer = (host: string, addresses: readonly string[]): void => questions.get(host)?.resolve(addresses)
  const fail = (host: string, error: Error): void => questions.get(host)?.reject(error)
  return { lookup: createLookup(resolve), asked, answer, fail }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('lookup() answers IP addresses without asking', async () => {
  const { lookup, asked } = scripted()
  assert.deepEqual(await lookup('10.0.0.1'), ['10.0.0.1'])
  assert.deepEqual(await lookup('::1'), ['::1'])
  assert.deepEqual(asked, [])
})

test('lookup() asks once for all who want the same host', async () => {
  const { lookup, asked, answer } = scripted()
  const both = [lookup('redis'), lookup('redis')]
  answer('redis', ['10.0.0.1', '10.0.0.2'])
  assert.deepEqual(await Promise.all(both), [
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.0.1', '10.0.0.2'],
  ])
  assert.deepEqual(asked, ['redis'])
})

test('lookup() never has two questions for one host in flight, however long the resolver is dead', async () => {
  const { lookup, asked, fail } = scripted()
  const attempts = Array.from({ length: 50 }, () => lookup('redis'))
  await settled()
  assert.deepEqual(asked, ['redis'])
  const dead = Object.assign(new Error('getaddrinfo EAI_AGAIN redis'), { code: 'EAI_AGAIN' })
  fail('redis', dead)
  for (const outcome of await Promise.allSettled(attempts))
    assert.deepEqual(outcome, { status: 'rejected', reason: dead })
})

test('lookup() asks again after an answer and after a failure', async () => {
  const { lookup, asked, answer, fail } = scripted()
  const first = lookup('redis')
  fail('redis', new Error('no'))
  await assert.rejects(first)
  const second = lookup('redis')
  answer('redis', ['10.0.0.1'])
  assert.deepEqual(await second, ['10.0.0.1'])
  assert.deepEqual(asked, ['redis', 'redis'])
})

test('lookup() leaves threads free: two hosts at once, the others in line', async () => {
  const { lookup, asked, answer, fail } = scripted()
  const answers = ['a', 'b', 'c', 'd'].map((host) => lookup(host))
  await settled()
  assert.deepEqual(asked, ['a', 'b'])
  fail('b', new Error('no'))
  await assert.rejects(answers[1] ?? Promise.resolve())
  await settled()
  assert.deepEqual(asked, ['a', 'b', 'c'])
  answer('a', ['1.1.1.1'])
  await settled()
  answer('c', ['3.3.3.3'])
  answer('d', ['4.4.4.4'])
  assert.deepEqual(await Promise.all([answers[0], answers[2], answers[3]]), [['1.1.1.1'], ['3.3.3.3'], ['4.4.4.4']])
  const later = [lookup('e'), lookup('f'), lookup('g')]
  await settled()
  assert.deepEqual(asked.slice(4), ['e', 'f'])
  for (const host of ['e', 'f']) answer(host, [])
  await settled()
  answer('g', [])
  await Promise.all(later)
})

test('lookup() of the process knows localhost', async () => {
  const addresses = await lookup('localhost')
  assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'))
})
