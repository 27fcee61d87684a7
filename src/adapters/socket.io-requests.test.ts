import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { Requests, type Answered } from './socket.io-requests.ts'

function setUp() {
  const clock = new ManualClock()
  const state = { reachable: true, asked: [] as string[] }
  const requests = new Requests({ clock, goneMs: 1000, reachable: () => state.reachable })
  const ask = (): Promise<Answered> => requests.ask((id) => state.asked.push(id), 400)
  return { clock, state, requests, ask }
}

test('a question is over when every server has answered; a late or foreign answer is none', async () => {
  const { clock, state, requests, ask } = setUp()
  for (const uid of ['a', 'b']) requests.heard(uid)
  const answered = ask()
  const [id = ''] = state.asked
  assert.equal(requests.answer(id, 'a', 1), true)
  assert.equal(requests.answer('another', 'b', 9), false)
  requests.answer(id, 'b', 2)
  assert.deepEqual(await answered, { answers: [1, 2], missing: 0 })
  assert.equal(requests.answer(id, 'b', 3), false)
  assert.equal(clock.pending, 0)
})

test('at the deadline there is what has come, and how many are missing', async () => {
  const { clock, state, requests, ask } = setUp()
  for (const uid of ['a', 'b']) requests.heard(uid)
  const answered = ask()
  requests.answer(state.asked[0] ?? '', 'b', 2)
  clock.advance(400)
  assert.deepEqual(await answered, { answers: [2], missing: 1 })
})

test('nobody is waited for who cannot be reached, says goodbye, or has not been heard for long', async () => {
  const { clock, state, requests, ask } = setUp()
  assert.deepEqual(await ask(), { answers: [], missing: 0 }, 'there is nobody')
  requests.heard('a')
  state.reachable = false
  assert.deepEqual(await ask(), { answers: [], missing: 1 })
  assert.deepEqual([requests.others.length, requests.reachable.length, state.asked.length], [1, 0, 0])

  state.reachable = true
  const cutOff = ask()
  state.reachable = false
  clock.advance(50)
  assert.deepEqual(await cutOff, { answers: [], missing: 1 })

  state.reachable = true
  const left = ask()
  requests.gone('a')
  assert.deepEqual(await left, { answers: [], missing: 0 })
  requests.heard('b')
  clock.advance(1001)
  assert.deepEqual(requests.others, [])
})
