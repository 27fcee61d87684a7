import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/leash.ts'
import { eventually } from '../../test/support/wait.ts'
import { createDatabase } from '../database/index.ts'
import { LinkError } from '../errors.ts'
import type { RedisLink, Reply } from '../link/index.ts'
import { createSessions } from './sessions.ts'

/** A link that serves all the time, and leaves writes unanswered while it is told to. */
function linkOver(data: Map<string, string>) {
  const state = { silent: false }
  const send = ([command, key = '', value = '']: readonly (string | Buffer)[]): Promise<Reply> => {
    const name = String(command)
    if (name === 'GET') return Promise.resolve(data.get(String(key)) ?? null)
    if (name === 'PTTL') return Promise.resolve(data.has(String(key)) ? 60_000 : -2)
    if (name === 'PING') return Promise.resolve('PONG')
    if (state.silent) return Promise.reject(new LinkError('LINK_DEADLINE', 'No answer.', { executed: 'maybe' }))
    if (name === 'SET') data.set(String(key), String(value))
    return Promise.resolve('OK')
  }
  const link = { health: { state: 'up', can: { read: true, write: true } }, onHealth: () => () => undefined, send }
  return { state, link: link as unknown as RedisLink }
}

async function rig(t: TestContext) {
  const data = new Map([['sess:s', '{"__evenkeel":5,"user":1}']])
  const { link, state } = linkOver(data)
  const database = createDatabase({ directory: join(scratchDirectory('sessions'), 'data') })
  const sessions = createSessions({ link, database })
  t.after(async () => {
    await sessions.close()
    await database.close()
  })
  database.start()
  sessions.start()
  await eventually('Redis to be trusted', () => sessions.stats.place === 'redis')
  assert.deepEqual(await sessions.get('s'), { user: 1 })
  return { data, state, sessions }
}

test('a logout that Redis left unanswered counts at once, although Redis still serves the session', async (t) => {
  const { state, sessions } = await rig(t)
  state.silent = true
  assert.equal(await sessions.destroy('s'), 'database')
  assert.equal(await sessions.get('s'), undefined)
})

test('a change that Redis left unanswered is read at once, and what another application writes after it counts', async (t) => {
  const { data, state, sessions } = await rig(t)
  state.silent = true
  assert.equal(await sessions.set('s', { user: 2 }), 'database')
  assert.deepEqual(await sessions.get('s'), { user: 2 })
  state.silent = false
  await eventually('Redis to be trusted again', () => sessions.stats.place === 'redis')
  data.set('sess:s', '{"user":3}')
  assert.deepEqual(await sessions.get('s'), { user: 3 })
})
