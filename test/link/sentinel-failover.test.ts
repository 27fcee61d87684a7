/**
 * The link behind three real sentinels: the master dies, freezes, or is replaced on demand, and the link follows within
 * its bounds. A master that thaws after it was replaced must get no write of ours any more.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { Counting, underLoad } from '../support/counting.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { eventually } from '../support/wait.ts'

let trio: SentinelTrio
const open: RedisLink[] = []

before(async () => {
  trio = await SentinelTrio.start()
})
afterEach(async () => {
  for (const link of open.splice(0)) await link.close()
  for (const server of trio.servers) await (server.running ? server.thaw() : server.start())
  await trio.settled()
})
after(() => trio.stop())

async function up(): Promise<RedisLink> {
  const link = createLink({ sentinel: { nodes: trio.addresses, master: trio.name } })
  open.push(link)
  link.start()
  await eventually('the link is up', () => link.health.state === 'up')
  return link
}

/** From the moment the sentinels agree the link may take 1.5 s, and as long again on a busy machine. */
async function follows(link: RedisLink, next: RedisServer, counting: Counting): Promise<void> {
  await eventually('the link has followed', () => link.server?.address === `127.0.0.1:${next.port}`, {
    timeoutMs: 3000,
  })
  const before = counting.acknowledged
  await eventually('writes are answered again', () => counting.acknowledged > before + 20)
}

test('the master dies: the link follows the sentinels, and no caller waits longer than its deadline', async () => {
  const link = await up()
  const counting = new Counting(link, ['killed'])
  await underLoad([counting], async () => {
    const old = await trio.settled()
    await old.kill()
    await eventually('the link has seen it', () => link.health.state === 'down', { everyMs: 5, timeoutMs: 2000 })
    await follows(link, await trio.masterOtherThan(old), counting)
  })
  // A write's deadline is 500 ms; 15 ms more are the promise, the rest is slack for a busy machine.
  assert.ok(counting.longestMs < 700, `${counting.longestMs} ms`)
})

test('the master freezes and is replaced; thawed, it gets no write of ours any more', async () => {
  const link = await up()
  const counting = new Counting(link, ['frozen'])
  let old: RedisServer | undefined
  let before = 0
  await underLoad([counting], async () => {
    const master = await trio.settled()
    old = master
    master.freeze()
    const next = await trio.masterOtherThan(master)
    before = counting.acknowledged
    await follows(link, next, counting)
    master.thaw()
    await eventually('the old master has become a replica', async () => {
      return String(await master.command('INFO', 'replication')).includes('role:slave')
    })
  })
  const [key = ''] = counting.keys
  const next = await trio.masterOtherThan(old ?? assert.fail())
  const found = Number(await next.command('GET', key))
  const uncertain = counting.errors.filter(({ executed }) => executed === 'maybe').length
  // All that was acknowledged after the failover is there, and nothing was done twice.
  assert.ok(found >= counting.acknowledged - before, `${found} of ${counting.acknowledged - before}`)
  assert.ok(found <= counting.acknowledged + uncertain, `${found} of ${counting.acknowledged} and ${uncertain}`)
  assert.ok(counting.longestMs < 700, `${counting.longestMs} ms`)
})

test('an operator fails over: the link follows', async () => {
  const link = await up()
  const counting = new Counting(link, ['on-demand'])
  await underLoad([counting], async () => {
    await follows(link, await trio.failover(), counting)
  })
  assert.ok(counting.longestMs < 700, `${counting.longestMs} ms`)
})

test('a name that no sentinel watches is told as such', async () => {
  const link = createLink({ sentinel: { nodes: trio.addresses, master: 'nobody' } })
  open.push(link)
  link.start()
  await eventually('the mistake is told', () => link.health.state === 'misconfigured')
  assert.equal(link.health.reason.code, 'sentinel-unknown-master')
  for (const { host, port } of trio.addresses)
    assert.ok(link.health.reason.text.includes(`${host}:${port}: ERR No such master`))
})
