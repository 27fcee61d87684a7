/** What a server may say or do that must not make the link leave its state, or only for a moment. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { LinkError, ReplyError } from '../../../../src/errors.ts'
import type { Driver } from '../../../../src/link/driver.ts'
import { createLink, type Gap, type LinkOptions, type RedisLink } from '../../../../src/link/index.ts'
import { RedisServer } from '../../../support/redis-server.ts'
import {
  protectedMode,
  readOnly,
  restrictedUser,
  slowSubscribersCut,
  withSettings,
} from '../../../support/redis-states.ts'
import { eventually } from '../../../support/wait.ts'
import type { NamedDriver } from '../drivers.ts'
import { RETURNS } from './row.ts'

/** Errors that are about one call. */
const OF_ONE_CALL: Readonly<Record<string, { readonly command: readonly string[]; readonly reason: string }>> = {
  'a wrong type': { command: ['LPUSH', 'text', 'x'], reason: 'wrong-type' },
  'a script that it does not know': { command: ['EVALSHA', 'f'.repeat(40), '0'], reason: 'script-unknown' },
  'a consumer group that is not there': {
    command: ['XREADGROUP', 'GROUP', 'group', 'me', 'STREAMS', 'stream', '>'],
    reason: 'group-unknown',
  },
  'a command that it does not know': { command: ['GETDEX', 'key'], reason: 'unknown-command' },
  'a wrong number of arguments': { command: ['GET'], reason: 'error-reply' },
  'a command that the user may not run': { command: ['FLUSHALL'], reason: 'no-permission' },
  'a key that the user may not touch': { command: ['GET', 'secret:key'], reason: 'no-permission' },
}
const USER = { name: 'app', password: 'secret', rules: ['~text', '~stream', '~key', '+@all', '-flushall'] }

const NO_OTHER_ADDRESS = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family, internal }) => family === 'IPv4' && !internal),
)
  ? false
  : 'protected mode shows on a non-loopback IPv4 address, and this machine has none'

export function besideTheStates({ name, make }: NamedDriver): void {
  test(`errors that are about one call leave the link alone, ${name}`, async () => {
    await using scene = await Scene.start(make(), { username: USER.name, password: USER.password })
    await restrictedUser(scene.server, USER)
    await scene.up()
    await scene.link.send(['SET', 'text', 'x'])
    for (const [what, { command, reason }] of Object.entries(OF_ONE_CALL)) {
      const error: unknown = await scene.link.send(command).catch((error: unknown) => error)
      assert.ok(error instanceof ReplyError, what)
      assert.deepEqual([error.reason?.code, error.executed], [reason, 'no'], what)
    }
    assert.equal(scene.link.health.state, 'up')
    assert.equal(scene.link.stats.connectionsOpened, 1)
  })

  test(`a user who may not look at the server is served all the same, ${name}`, async () => {
    await using scene = await Scene.start(make(), { username: USER.name, password: USER.password })
    const rules = ['~*', '+@all', '-info', '-role', '-client', '-time', '-ping']
    await restrictedUser(scene.server, { ...USER, rules })
    await scene.up()
    assert.equal(await scene.link.send(['SET', 'key', 'value']), 'OK')
    assert.equal(scene.link.server?.role, undefined)
  })

  test(`a password that nobody asks for does no harm, ${name}`, async () => {
    await using scene = await Scene.start(make(), { password: 'unasked' })
    await scene.up()
    assert.equal(await scene.link.send(['SET', 'key', 'value']), 'OK')
  })

  test(`no write ever lands in another database, ${name}`, async () => {
    await using scene = await Scene.start(make(), { database: 99 })
    scene.link.start()
    await eventually('it is misconfigured', () => scene.link.health.reason.code === 'wrong-database')
    for (let n = 0; n < 20; n++) await assert.rejects(scene.link.send(['SET', `key:${n}`, 'value']), isRefusal)
    assert.equal(await scene.server.command('INFO', 'keyspace'), '# Keyspace\r\n')
  })

  test(`the database that is asked for is the one that is used, after a reconnect too, ${name}`, async () => {
    await using scene = await Scene.start(make(), { database: 3 })
    await scene.up()
    await scene.link.send(['SET', 'first', 'value'])
    await scene.server.command('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES')
    await eventually('the next is written', () => scene.link.send(['SET', 'second', 'value']))
    assert.match(String(await scene.server.command('INFO', 'keyspace')), /^# Keyspace\r\ndb3:keys=2,[^\n]*\n$/)
  })

  test(`protected mode is named, and left when it ends, ${name}`, { skip: NO_OTHER_ADDRESS }, async () => {
    await using scene = await Scene.start(make())
    await using state = await protectedMode(scene.server)
    const link = createLink({ host: state.host, port: scene.server.port, driver: make() })
    try {
      link.start()
      await eventually('it is misconfigured', () => link.health.reason.code === 'protected-mode')
      assert.equal(link.health.state, 'misconfigured')
      await scene.server.command('CONFIG', 'SET', 'protected-mode', 'no')
      await eventually('it is up', () => link.health.state === 'up', { timeoutMs: RETURNS.misconfiguredMs })
    } finally {
      await link.close()
    }
  })

  test(`a fenced call survives the loss of all scripts, ${name}`, async () => {
    await using scene = await Scene.start(make())
    await scene.up()
    for (let n = 1; n <= 2; n++) {
      assert.equal(await scene.link.send(['INCR', 'count'], { fence: true }), n)
      await scene.server.command('SCRIPT', 'FLUSH')
    }
    assert.equal(scene.link.health.state, 'up')
  })

  test(`a blocking call on a server that is demoted ends, and the lane goes on, ${name}`, async () => {
    await using scene = await Scene.start(make())
    await scene.up()
    const lane = scene.link.blocking()
    const waiting = lane.send(['BLPOP', 'jobs', '30'], { blockMs: 30_000 })
    await eventually('it waits', async () => /cmd=blpop/.test(String(await scene.server.command('CLIENT', 'LIST'))))
    const demoted = await readOnly(scene.server)
    await assert.rejects(waiting, (error: LinkError) => error.reason?.code === 'unblocked' && error.executed === 'no')
    await demoted.restore()
    await scene.server.command('RPUSH', 'jobs', 'job')
    const job = await eventually('a job', () => lane.send(['BLPOP', 'jobs', '1'], { blockMs: 1000 }))
    assert.deepEqual(job, ['jobs', 'job'])
  })

  test(`a subscriber that is cut off for its size is told of the gap, ${name}`, async () => {
    await using scene = await Scene.start(make())
    const gaps: Gap[] = []
    const heard: string[] = []
    await scene.up()
    await scene.link.subscribe('channel', ['news'], {
      message: (_channel, payload) => void heard.push(payload.toString()),
      gap: (gap) => void gaps.push(gap),
    }).ready
    await slowSubscribersCut(scene.server, 64 * 1024)
    const publishedAt = Date.now()
    await scene.server.command('PUBLISH', 'news', 'x'.repeat(1024 * 1024))
    await eventually('it is told', () => gaps.length > 0)
    await scene.server.command('PUBLISH', 'news', 'again')
    await eventually('it hears again', () => heard.includes('again'))
    assert.deepEqual(heard, ['again'])
    assert.equal(gaps.length, 1)
    assert.ok(gaps.every(({ since, until }) => since <= publishedAt && publishedAt <= until))
    assert.equal(scene.link.health.state, 'up')
  })

  test(`a server that closes idle connections finds none, ${name}`, async () => {
    await using scene = await Scene.start(make())
    await withSettings(scene.server, { timeout: '2' })
    await scene.up()
    await delay(4500)
    assert.equal(scene.link.health.state, 'up')
    assert.equal(scene.link.stats.connectionsOpened, 1)
  })
}

/** A server with a link to it. */
class Scene implements AsyncDisposable {
  readonly server: RedisServer
  readonly link: RedisLink

  private constructor(server: RedisServer, link: RedisLink) {
    this.server = server
    this.link = link
  }

  static async start(driver: Driver, redis: LinkOptions = {}): Promise<Scene> {
    const server = await RedisServer.start()
    return new Scene(server, createLink({ port: server.port, ...redis, driver }))
  }

  async up(): Promise<void> {
    this.link.start()
    await eventually('the link is up', () => this.link.health.state === 'up')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.close()
    await this.server.stop()
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof LinkError && error.code === 'LINK_UNAVAILABLE' && error.executed === 'no'
}
