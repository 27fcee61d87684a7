/**
 * What only hosted, old or half-compatible servers say: quotas, limits, protocols they do not speak, words before they hang up.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ReplyError } from '../../src/errors.ts'
import { createLink, type LinkOptions, type RedisLink } from '../../src/link/index.ts'
import { introduction, ScriptedServer, type Script, type ScriptedServerOptions } from '../support/scripted-server.ts'
import { eventually } from '../support/wait.ts'
import { DRIVERS, type NamedDriver } from './link/drivers.ts'
import { strayTests } from './link/stray-tests.ts'

const AT_ONCE = 12
const QUOTAS = [
  'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details',
  'ERR max requests limit exceeded. Limit: 500000, Usage: 500000.',
]
const ABOUT_ONE_CALL: Readonly<Record<string, string>> = {
  'ERR max request size exceeded. Limit: 1048576 bytes, Actual: 2000000 bytes': 'size-limit',
  'ERR max single record size exceeded. Limit: 104857600 bytes': 'size-limit',
  'ERR max key size exceeded. Limit: 32768 bytes, Actual: 40000 bytes': 'size-limit',
  'ERR DB capacity quota exceeded': 'capacity-quota',
  'TRYAGAIN Multiple keys request during rehashing of slot': 'try-again',
  'ASK 12182 10.0.0.7:6379': 'ask',
  'MOVED 12182 10.0.0.7:6379': 'moved',
}
const TURNED_AWAY: Readonly<Record<string, { readonly state: string; readonly reason: string }>> = {
  'ERR max number of clients reached': { state: 'not-ready', reason: 'max-clients' },
  'ERR max concurrent connections exceeded': { state: 'not-ready', reason: 'max-clients' },
  'DENIED Redis is running in protected mode because protected mode is enabled': {
    state: 'misconfigured',
    reason: 'protected-mode',
  },
  'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.': { state: 'over-quota', reason: 'request-quota' },
}
/** Asked again after a minute: less than this, and more than it takes to see that it is not asked before. */
const QUOTA_RETRY_MS = 62_000
const WATCHED_MS = 2500

const nothingEscaped = strayTests()

/** What a healthy server says. */
function healthy(command: readonly string[]): string {
  const name = command[0]?.toUpperCase() ?? ''
  if (name === 'TIME') return `*2\r\n${bulk(String(Math.floor(Date.now() / 1000)))}${bulk('0')}`
  if (name === 'ROLE') return `*3\r\n${bulk('master')}:0\r\n*0`
  if (name === 'INFO') return bulk('run_id:one')
  if (name === 'SUBSCRIBE') return `*3\r\n${bulk('subscribe')}${bulk(command[1] ?? '')}:1`
  return introduction(command) ?? '+OK'
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}

/** Says this to some commands and is healthy otherwise. */
function refusing(text: string, which: (name: string) => boolean): Script {
  return (command) => (which(command[0]?.toUpperCase() ?? '') ? `-${text}` : healthy(command))
}

interface Scene extends AsyncDisposable {
  readonly server: ScriptedServer
  readonly link: RedisLink
}

async function scene(
  { make }: NamedDriver,
  script: Script,
  { redis = {}, ...options }: ScriptedServerOptions & { redis?: LinkOptions } = {},
): Promise<Scene> {
  const server = await ScriptedServer.start(script, options)
  const link = createLink({ port: server.port, ...redis, driver: make() })
  link.start()
  return {
    server,
    link,
    [Symbol.asyncDispose]: async () => {
      await link.close()
      await server.close()
    },
  }
}

async function up(link: RedisLink, timeoutMs = 10_000): Promise<void> {
  await eventually('the link is up', () => link.health.state === 'up', { timeoutMs })
}

async function because(link: RedisLink, reason: string): Promise<void> {
  await eventually(`the reason is ${reason}`, () => link.health.reason.code === reason)
}

/** Nothing reaches the server, neither a command nor a connection, whatever callers do. */
async function assertQuiet({ server, link }: Scene): Promise<void> {
  const [commands, accepted] = [server.commands.length, server.accepted]
  for (let waited = 0; waited < WATCHED_MS; waited += 100) {
    await assert.rejects(link.send(['GET', 'key']), { code: 'LINK_UNAVAILABLE', executed: 'no' })
    await delay(100)
  }
  assert.deepEqual(server.commands.slice(commands), [])
  assert.equal(server.accepted, accepted)
}

/** Commands by name, those of the handshake in the order of arrival. */
function names({ commands }: ScriptedServer): string[] {
  return commands.map((command) => command.slice(0, 2).join(' ').toUpperCase())
}

describe('scripted servers', { concurrency: AT_ONCE }, () => {
  for (const driver of DRIVERS) quotas(driver)
  for (const driver of DRIVERS) oneCall(driver)
  for (const driver of DRIVERS) doors(driver)
  for (const driver of DRIVERS) protocols(driver)
})

function quotas(driver: NamedDriver): void {
  test(`a quota that is used up: nothing is sent for a minute, then it is tried again, ${driver.name}`, async () => {
    let usedUp = false
    await using play = await scene(driver, (command) => (usedUp ? `-${QUOTAS[0]}` : healthy(command)))
    await up(play.link)
    await play.link.subscribe('channel', ['news'], { message: () => undefined }).ready
    usedUp = true
    await assert.rejects(play.link.send(['GET', 'key']), { code: 'REDIS_REPLY', executed: 'no' })
    assert.deepEqual([play.link.health.state, play.link.health.reason.code], ['over-quota', 'request-quota'])
    assert.deepEqual(play.link.health.can, { read: false, write: false, publish: false })
    await assertQuiet(play)
    usedUp = false
    await up(play.link, QUOTA_RETRY_MS)
  })

  for (const text of QUOTAS)
    test(`a quota that is used up from the beginning, '${text.slice(0, 24)}', ${driver.name}`, async () => {
      await using play = await scene(driver, () => `-${text}`)
      await because(play.link, 'request-quota')
      assert.equal(play.link.health.state, 'over-quota')
      await assertQuiet(play)
      assert.equal(play.server.accepted, 1)
    })
}

function oneCall(driver: NamedDriver): void {
  test(`limits and moves that are about one call leave the link alone, ${driver.name}`, async () => {
    let text = ''
    await using play = await scene(driver, (command) => (command[0] === 'SET' ? `-${text}` : healthy(command)))
    await up(play.link)
    for (const [said, reason] of Object.entries(ABOUT_ONE_CALL)) {
      text = said
      const error: unknown = await play.link.send(['SET', 'key', 'value']).catch((error: unknown) => error)
      assert.ok(error instanceof ReplyError, said)
      assert.deepEqual([error.message, error.reason?.code, error.executed], [said, reason, 'no'])
      assert.equal(play.link.health.state, 'up', said)
    }
    assert.equal(play.link.stats.connectionsOpened, 1)
  })
}

function doors(driver: NamedDriver): void {
  for (const [said, { state, reason }] of Object.entries(TURNED_AWAY))
    test(`'${said.slice(0, 30)}' and hung up on: the reason is named, ${driver.name}`, async () => {
      const greet: ScriptedServerOptions['greet'] = (connection) => {
        connection.send(`-${said}`)
        connection.close()
      }
      await using play = await scene(driver, healthy, { greet })
      await because(play.link, reason)
      assert.equal(play.link.health.state, state)
      await assert.rejects(play.link.send(['GET', 'key']), { code: 'LINK_UNAVAILABLE', executed: 'no' })
    })

  test(`words and hang-up in answer to the first command: the reason is named, ${driver.name}`, async () => {
    const script: Script = (_command, connection) => {
      connection.send('-ERR max concurrent connections exceeded')
      connection.close()
      return null
    }
    await using play = await scene(driver, script)
    await because(play.link, 'max-clients')
    assert.equal(play.link.health.state, 'not-ready')
  })
}

function protocols(driver: NamedDriver): void {
  const old = refusing("ERR unknown command 'HELLO'", (name) => name === 'HELLO')

  test(`a server that knows no HELLO is spoken to without, ${driver.name}`, async () => {
    await using play = await scene(driver, old, { redis: { username: 'app', password: 'secret', database: 3 } })
    await up(play.link)
    const [hello, ...rest] = names(play.server).filter((name) => /^(HELLO|AUTH|SELECT)/.test(name))
    assert.match(hello ?? '', /^HELLO/)
    assert.deepEqual(
      rest.filter((name) => !name.startsWith('HELLO')),
      ['AUTH APP', 'SELECT 3'],
    )
    assert.equal(await play.link.send(['SET', 'key', 'value']), 'OK')
  })

  test(`a server that speaks none of our protocols by HELLO is spoken to without, ${driver.name}`, async () => {
    await using play = await scene(
      driver,
      refusing('NOPROTO unsupported protocol version', (name) => name === 'HELLO'),
    )
    await up(play.link)
    assert.equal(await play.link.send(['SET', 'key', 'value']), 'OK')
  })

  test(`a password that an old server does not know is named, ${driver.name}`, async () => {
    const script: Script = (command, connection) =>
      command[0]?.toUpperCase() === 'AUTH' ? '-ERR Client sent AUTH, but no password is set' : old(command, connection)
    await using play = await scene(driver, script, { redis: { password: 'secret' } })
    await because(play.link, 'password-not-configured')
    assert.equal(play.link.health.state, 'misconfigured')
    assert.ok(!JSON.stringify(play.link.health).includes('secret'))
  })

  test(`a SELECT that is answered with OK and not obeyed is found out, ${driver.name}`, async () => {
    const script: Script = (command) =>
      command.join(' ').toUpperCase() === 'CLIENT INFO' ? bulk('id=1 db=0 resp=2') : healthy(command)
    await using play = await scene(driver, script, { redis: { database: 3 } })
    await because(play.link, 'wrong-database')
    assert.equal(play.link.health.state, 'misconfigured')
  })
}

nothingEscaped()
