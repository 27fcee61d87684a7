import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { DatabaseError } from '../errors.ts'
import { Endings } from './endings.ts'
import type { Accepted, Ending } from './store/rows.ts'

type Answer = readonly Accepted[] | Error

/** Ends over a table that answers one write after the other as the test says, and knows of these that they are over. */
function subject(answers: Answer[], over: readonly Accepted[] = []) {
  const clock = new FakeClock()
  let asked = 0
  const endings = new Endings({
    clock,
    random: () => 0.5,
    atOnce: 1,
    store: {
      end: async () => {
        const answer = answers.shift()
        if (answer === undefined || answer instanceof Error) throw answer ?? new Error('one write too many')
        return answer
      },
      over: async () => {
        asked += 1
        return over
      },
    },
  })
  return { clock, endings, asked: () => asked }
}

const lost = (executed: 'maybe' | 'no') => new DatabaseError('DATABASE_LOST', 'lost', { executed, retryable: true })
const accepted = (state: Accepted['state']): Accepted => ({ id: 'a', awaited: true, state })
const ending: Ending = {
  id: 'a',
  token: 't',
  attempt: 1,
  state: 'done',
  result: null,
  error: null,
  delayMs: null,
  keepMs: 1,
  givenBack: false,
}

test('an end that was written though its answer got lost is accepted', async () => {
  const { clock, endings, asked } = subject([lost('maybe'), []], [accepted('done')])
  const outcome = endings.add(ending)
  await clock.advance(1000)
  assert.deepEqual([await outcome, asked()], [accepted('done'), 1])
})

test('an end that somebody else has written differently meanwhile is refused', async () => {
  const { clock, endings } = subject([lost('maybe'), []], [accepted('dead')])
  const outcome = endings.add(ending)
  await clock.advance(1000)
  assert.equal(await outcome, undefined)
})

test('an end that surely was not written before is refused without another question', async () => {
  const { clock, endings, asked } = subject([lost('no'), []], [accepted('done')])
  const outcome = endings.add(ending)
  await clock.advance(1000)
  assert.deepEqual([await outcome, asked()], [undefined, 0])
})
