/**
 * Sessions with real servers: Redis up, killed, frozen and restarted empty, without a database, with SQLite and with PostgreSQL. Two
 * instances stand for two processes: a link and sessions of their own each.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createDatabase, type Database } from '../../src/database/index.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { createSessions, type Sessions } from '../../src/sessions/index.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'

interface Instance {
  readonly link: RedisLink
  readonly sessions: Sessions
  readonly database: Database | undefined
  close(): Promise<void>
}

/** Makes the database of an instance; all of a test share what is in it. */
type Databases = () => Database | undefined

const { redis, ends } = await redisOfFile()
const postgres = await PostgresServer.start()
after(() => postgres.stop())

let databases = 0

const KINDS: Readonly<Record<string, () => Promise<Databases>>> = {
  'no database': async () => () => undefined,
  sqlite: async () => {
    const directory = scratchDirectory('sessions')
    ends.push(async () => removeScratch(directory))
    return () => createDatabase({ directory })
  },
  postgres: async () => {
    databases += 1
    await postgres.sql(`CREATE DATABASE sessions_${databases}`)
    const url = new URL(postgres.url)
    url.pathname = `/sessions_${databases}`
    return () => createDatabase({ url: url.href })
  },
}

async function instance(newDatabase: Databases): Promise<Instance> {
  const link = createLink({ url: redis.url, name: `sessions-${ends.length}` })
  const database = newDatabase()
  const sessions = createSessions({ link, database })
  const close = async (): Promise<void> => {
    await sessions.close()
    await Promise.all([link.close(), database?.close()])
  }
  ends.push(close)
  database?.start()
  sessions.start()
  link.start()
  await database?.ready()
  await eventually('Redis to be trusted', () => sessions.stats.place === 'redis')
  return { link, sessions, database, close }
}

async function untilPlace(place: string, ...instances: readonly Instance[]): Promise<void> {
  for (const { sessions } of instances)
    await eventually(`sessions to be in ${place}`, () => sessions.stats.place === place)
}

const DATA = { user: 999_888, cart: ['a', 'b'], nested: { yes: true, nothing: null } }

for (const [kind, make] of Object.entries(KINDS))
  describe(`sessions, ${kind}`, () => {
    const away = kind === 'no database' ? 'memory' : 'database'

    test('what is stored by one is read by the other, exactly as it was', async () => {
      const databasesOf = await make()
      const [one, other] = [await instance(databasesOf), await instance(databasesOf)]
      assert.equal(await other.sessions.get('s'), undefined)
      assert.equal(await one.sessions.set('s', DATA), 'redis')
      assert.deepEqual(await other.sessions.get('s'), DATA)
      await one.sessions.set('empty', {})
      assert.deepEqual(await other.sessions.get('empty'), {})
      assert.equal(await one.sessions.destroy('s'), 'redis')
      assert.equal(await other.sessions.get('s'), undefined)
    })

    test('a session ends to the millisecond, and touching lets it live on', async () => {
      const { sessions } = await instance(await make())
      await sessions.set('short', DATA, { ttlMs: 5 })
      await sessions.set('touched', DATA, { ttlMs: 300 })
      await sessions.touch('touched', { ttlMs: 60_000 })
      await delay(350)
      assert.equal(await sessions.get('short'), undefined)
      assert.deepEqual(await sessions.get('touched'), DATA)
      await sessions.touch('touched', { ttlMs: 5 })
      await delay(20)
      assert.equal(await sessions.get('touched'), undefined)
      await sessions.touch('never was')
      assert.equal(await sessions.get('never was'), undefined)
    })

    test('a session that was logged out is not stored again, by whoever saves it late', async () => {
      const databasesOf = await make()
      const [one, other] = [await instance(databasesOf), await instance(databasesOf)]
      await one.sessions.set('s', DATA)
      await other.sessions.get('s')
      await one.sessions.destroy('s')
      await other.sessions.set('s', { ...DATA, late: true })
      await one.sessions.set('s', { ...DATA, late: true })
      for (const { sessions } of [one, other]) {
        assert.equal(await sessions.get('s'), undefined)
        assert.equal(sessions.stats.revived, 1)
      }
    })

    test('Redis killed: who was logged in stays so, login and logout go on, and all of it holds afterwards', async () => {
      const databasesOf = await make()
      const [one, other] = [await instance(databasesOf), await instance(databasesOf)]
      await one.sessions.set('stays', DATA)
      await one.sessions.set('leaves', DATA)
      await one.sessions.set('changes', DATA)
      for (const id of ['stays', 'leaves', 'changes']) await other.sessions.get(id)
      // What was written a moment before is on its way to the database.
      await delay(one.database === undefined ? 0 : 150)
      await redis.kill()
      await untilPlace(away, one, other)

      for (const { sessions } of [one, other]) assert.deepEqual(await sessions.get('stays'), DATA)
      assert.equal(await one.sessions.set('new', { user: 1 }), away)
      assert.deepEqual(await one.sessions.get('new'), { user: 1 })
      assert.equal(await one.sessions.destroy('leaves'), away)
      assert.equal(await one.sessions.get('leaves'), undefined)
      await one.sessions.set('changes', { user: 2 })
      await one.sessions.touch('stays', { ttlMs: 120_000 })
      if (away === 'database') {
        assert.equal(await other.sessions.get('leaves'), undefined, 'the other process knows it')
        assert.deepEqual(await other.sessions.get('new'), { user: 1 })
        assert.deepEqual(await other.sessions.get('changes'), { user: 2 })
      }

      await redis.start()
      await untilPlace('redis', one, other)
      for (const { sessions } of [one, other]) {
        await eventually('the logout to be known', async () => (await sessions.get('leaves')) === undefined)
        await eventually('the login to be known', async () => (await sessions.get('new')) !== undefined)
        assert.deepEqual(await sessions.get('changes'), { user: 2 })
      }
      await other.sessions.set('leaves', DATA)
      assert.equal(await other.sessions.get('leaves'), undefined, 'a logout is never undone')
    })

    test('Redis frozen: no call waits longer than its deadlines, and nothing is lost', async () => {
      const { sessions } = await instance(await make())
      await sessions.set('s', DATA)
      await delay(150)
      redis.freeze()
      try {
        for (let turn = 0; turn < 5; turn++) {
          const startedAt = performance.now()
          assert.deepEqual(await sessions.get('s'), DATA)
          await sessions.set(`new-${turn}`, { turn })
          const tookMs = performance.now() - startedAt
          assert.ok(tookMs < 2 * 250 + 500, `${Math.round(tookMs)} ms`)
        }
      } finally {
        redis.thaw()
      }
      await eventually('Redis to be trusted again', () => sessions.stats.place === 'redis')
      for (let turn = 0; turn < 5; turn++) assert.deepEqual(await sessions.get(`new-${turn}`), { turn })
      assert.equal(sessions.stats.owed, 0)
    })

    if (away === 'database')
      test('Redis restarted empty: the database still has the sessions, and no revoked one', async () => {
        const databasesOf = await make()
        const [one, other] = [await instance(databasesOf), await instance(databasesOf)]
        await one.sessions.set('s', DATA)
        await one.sessions.set('gone', DATA)
        await one.sessions.destroy('gone')
        await delay(150)
        await redis.kill()
        await redis.start({ empty: true })
        await untilPlace('redis', one, other)
        await eventually('the session to be found', async () => (await other.sessions.get('s')) !== undefined)
        assert.equal(await other.sessions.get('gone'), undefined)
        assert.equal(await redis.command('EXISTS', 'sess:s'), 1, 'and it is in Redis again')
      })

    if (away === 'database')
      test('a process that alone is cut off from Redis logs out: the others know within seconds', async () => {
        const databasesOf = await make()
        const [cut, other] = [await instance(databasesOf), await instance(databasesOf)]
        await cut.sessions.set('s', DATA)
        cut.link.isolate('cut off')
        assert.equal(await cut.sessions.destroy('s'), 'database')
        await eventually('the logout to be known', async () => (await other.sessions.get('s')) === undefined)
      })
  })

test('connect-redis reads what was stored, and what it stored is read', async () => {
  const { sessions } = await instance(() => undefined)
  await sessions.set('ours', { user: 1 })
  const raw = String(await redis.command('GET', 'sess:ours'))
  const { __evenkeel: version, ...data } = JSON.parse(raw) as Record<string, unknown>
  assert.equal(typeof version, 'number')
  assert.deepEqual(data, { user: 1 })
  await redis.command('SET', 'sess:theirs', '{"cookie":{"path":"/"},"user":2}', 'EX', '60')
  assert.deepEqual(await sessions.get('theirs'), { cookie: { path: '/' }, user: 2 })
  await sessions.set('theirs', { user: 3 })
  assert.deepEqual(await sessions.get('theirs'), { user: 3 })
  await sessions.destroy('ours')
  assert.equal(await redis.command('GET', 'sess:ours'), 'null', 'which connect-redis takes for no session')
})

test('text that is no session is none', async () => {
  const { sessions } = await instance(() => undefined)
  for (const text of ['', 'x', '[1]', '7', '{"a":', '{"__evenkeel":12,"a":'])
    await redis.command('SET', `sess:${text}`, text).then(async () => {
      assert.equal(await sessions.get(text), undefined, text)
    })
})

test('data that JSON cannot write is an error of the caller', async () => {
  const { sessions } = await instance(() => undefined)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  for (const data of [circle, [1], { toJSON: () => 'text' }, { n: 1n }])
    await assert.rejects(sessions.set('s', data), { name: 'EvenkeelError', code: 'SESSION_DATA' })
})
