/**
 * Servers that do not permit tracking, for one reason or another: they say so, and reads and writes work as ever.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLink, type LinkOptions, type RedisLink } from '../../src/link/index.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { Heard } from './heard.ts'

/** What tracking takes, as the docs say; the rest is what any link asks for. */
const ENOUGH = [
  '+client|tracking',
  '+client|trackinginfo',
  '+client|id',
  '+info',
  '+subscribe',
  '&__redis__:invalidate',
]
const ANY_LINK = ['+@read', '+@write', '+ping', '+hello', '+role', '+time', '+client|setname', '+client|kill']

const { redis: server, ends } = await redisOfFile()

function connecting(options: LinkOptions): RedisLink {
  const link = createLink({ port: server.port, ...options })
  ends.push(() => link.close())
  link.start()
  return link
}

/** A user who may do only what is said here. */
async function permit(...rules: readonly string[]): Promise<LinkOptions> {
  const reply = await server.command('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', '~*', ...ANY_LINK, ...rules)
  assert.equal(reply, 'OK')
  return { username: 'app', password: 'secret' }
}

test('a user who may do what the docs name hears', async () => {
  const heard = new Heard(connecting(await permit(...ENOUGH)), 'p:')
  await heard.hears()
  await server.command('SET', 'p:1', 'x')
  await heard.expect('p:1')
})

for (const missing of ENOUGH)
  test(`a user without ${missing} is refused, until it is granted and the connection is another`, async () => {
    const link = connecting(await permit(...ENOUGH.filter((rule) => rule !== missing)))
    const heard = new Heard(link, 'p:')
    await heard.expect('REFUSED')
    assert.equal(heard.reasons[0]?.code, 'tracking-refused')
    assert.equal(await link.send(['SET', 'p:1', 'x']), 'OK')
    await server.command('ACL', 'SETUSER', 'app', ...ENOUGH)
    await server.command('CLIENT', 'KILL', 'USER', 'app')
    await heard.expect('DEAF', 'HEARING')
    await server.command('SET', 'p:1', 'y')
    await heard.expect('p:1')
  })

test('a server on which CLIENT is renamed away refuses', async () => {
  await using renamed = await RedisServer.start({ args: ['--rename-command', 'CLIENT', ''] })
  const link = connecting({ port: renamed.port })
  const heard = new Heard(link, 'p:')
  await heard.expect('REFUSED')
  assert.equal(await link.send(['GET', 'p:1']), null)
  await eventually('no lane is kept', async () =>
    /connected_clients:2\b/.test(String(await renamed.command('INFO', 'clients'))),
  )
})
