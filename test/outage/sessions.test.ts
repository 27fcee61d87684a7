/**
 * Two processes, an outage of Redis in the middle and a logout during it: the cookie is dead afterwards in both. What each may still
 * serve meanwhile is said by where sessions are: with a database nothing, without one what it cannot know.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CallableProcess } from '../support/callable-process.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import type { SessionFunctions, SessionOrder } from './sessions/session-functions.ts'

type Process = CallableProcess<SessionFunctions>

const CHILD = new URL('sessions/sessions-child.ts', import.meta.url)
const SECRET = 'a secret that both processes have in common'
const DATA = { user: 999_888 }

// Its data survives a kill, as that of a Redis that holds sessions does.
const { redis, ends } = await redisOfFile({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
const postgres = await PostgresServer.start()
after(() => postgres.stop())

async function twoProcesses(order: Omit<SessionOrder, 'url'>): Promise<readonly [Process, Process]> {
  const start = async (): Promise<Process> => {
    const started = await CallableProcess.start<SessionFunctions>(CHILD)
    ends.push(() => started.stop())
    await started.call('open', { url: redis.url, ...order })
    return started
  }
  const both = await Promise.all([start(), start()])
  await untilIn('redis', ...both)
  return both
}

async function untilIn(place: string, ...processes: readonly Process[]): Promise<void> {
  for (const one of processes)
    await eventually(`sessions to be in ${place}`, async () => (await one.call('stats')).place === place)
}

async function untilDead(id: string, ...processes: readonly Process[]): Promise<void> {
  for (const one of processes)
    await eventually(`${id} to be dead`, async () => (await one.call('get', id)) === undefined)
}

interface Kind {
  readonly name: string
  readonly order: () => Omit<SessionOrder, 'url'>
  readonly away: 'memory' | 'database'
}

const KINDS: readonly Kind[] = [
  { name: 'no database, sealed copies', order: () => ({ secret: SECRET }), away: 'memory' },
  { name: 'PostgreSQL', order: () => ({ database: postgres.url }), away: 'database' },
]

for (const { name, order, away } of KINDS)
  test(`${name}: a logout in the outage is dead in both processes afterwards, whatever the other did meanwhile; unless the process ends that alone knows of it`, async () => {
    const [here, there] = await twoProcesses(order())
    await here.call('set', 'stays', DATA)
    await here.call('set', 'leaves', DATA)
    for (const id of ['stays', 'leaves']) assert.deepEqual(await there.call('get', id), DATA)
    const copy = await there.call('copy', 'leaves')
    if (away === 'database')
      await eventually('the copies to be in the database', async () => {
        const [row] = await postgres.sql('SELECT count(*) AS number FROM evenkeel_sessions')
        return Number(row?.['number']) >= 2
      })

    await redis.kill()
    await untilIn(away, here, there)
    assert.equal(await here.call('destroy', 'leaves'), away)
    assert.equal(await here.call('get', 'leaves', copy), undefined, 'dead where it was done, at once')
    const elsewhere = await there.call('get', 'leaves', copy)
    if (away === 'database') assert.equal(elsewhere, undefined, 'and at the other')
    else {
      assert.deepEqual(elsewhere, DATA, 'the other cannot know')
      await there.call('touch', 'leaves')
      await there.call('set', 'leaves', { ...DATA, later: true })
    }

    await redis.start()
    await untilIn('redis', here, there)
    await untilDead('leaves', here, there)
    for (const one of [here, there]) assert.deepEqual(await one.call('get', 'stays'), DATA)
    await there.call('set', 'leaves', DATA)
    assert.equal(await there.call('get', 'leaves', copy), undefined, 'nor is it stored again')
    assert.equal(await redis.command('GET', 'sess:leaves'), 'null')

    await redis.restart({ empty: true })
    await untilIn('redis', here, there)
    await untilDead('leaves', here, there)
    await there.call('set', 'leaves', DATA)
    await untilDead('leaves', here, there)

    await assertFate(here, there, away)
  })

/** With a database it holds; without one nobody is left who knows of it. */
async function assertFate(here: Process, there: Process, away: Kind['away']): Promise<void> {
  await here.call('set', 'last', DATA)
  assert.deepEqual(await there.call('get', 'last'), DATA)
  await redis.kill()
  await untilIn(away, here, there)
  await here.call('destroy', 'last')
  await here.stop()
  await redis.start()
  await untilIn('redis', there)
  if (away === 'database') await untilDead('last', there)
  else assert.deepEqual(await there.call('get', 'last'), DATA)
}

test('sealed copies: a login in the outage goes on at a process that has never seen it, and is everywhere afterwards', async () => {
  const [here, there] = await twoProcesses({ secret: SECRET })
  await redis.kill()
  await untilIn('memory', here, there)
  await here.call('set', 'new', DATA)
  const copy = await here.call('copy', 'new')
  assert.equal(await there.call('get', 'new'), undefined)
  assert.deepEqual(await there.call('get', 'new', copy), DATA)
  await there.call('set', 'new', { user: 2 })
  assert.deepEqual(await here.call('get', 'new', await there.call('copy', 'new')), { user: 2 })
  assert.deepEqual(await there.call('get', 'new', copy), { user: 2 }, 'an old copy does not come back')
  assert.equal((await there.call('stats')).sealsRefused, 1)
  await redis.start()
  await untilIn('redis', here, there)
  for (const one of [here, there])
    await eventually('the newest', async () => (await one.call('get', 'new'))?.['user'] === 2)
})
