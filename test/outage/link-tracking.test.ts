/**
 * Tracking in outages: whatever takes the server or one of the two connections away is told as deafness, and the return comes
 * in order: left-over connections killed, tracking on, then "hearing".
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Driver } from '../../src/link/driver.ts'
import { createLink, type Gap, type LinkOptions, type RedisLink } from '../../src/link/index.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { Heard } from '../link/heard.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { DRIVERS } from './link/drivers.ts'

/** An idle connection is asked after 1 s and given up after two questions of 0.5 s; the rest is slack for a busy machine. */
const SILENCE_NOTICED_MS = 2000 + 1500

let server: RedisServer
const open: RedisLink[] = []
const proxies: FaultProxy[] = []
const gaps: (Gap & { readonly lane: string })[] = []

before(async () => {
  channels.linkGap.subscribe((gap) => gaps.push(gap))
  server = await RedisServer.start()
})
afterEach(async () => {
  for (const link of open.splice(0)) await link.close()
  for (const proxy of proxies.splice(0)) await proxy.close()
  if (server.running) server.thaw()
  else await server.start()
  gaps.length = 0
})
after(() => server.stop())

function connecting(options: LinkOptions): RedisLink {
  const link = createLink({ port: server.port, ...options })
  open.push(link)
  link.start()
  return link
}

async function proxied(): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(server)
  proxies.push(proxy)
  return proxy
}

/** Ids of the connections that the server has of ours, the oldest first: commands, then the lane. */
async function ids(): Promise<readonly string[]> {
  const list = String(await server.command('CLIENT', 'LIST')).split('\n')
  return list.filter((line) => line.includes('name=evenkeel')).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '')
}

/** The link's first connection goes through one proxy and all others through another. */
function parted(driver: Driver, commands: FaultProxy, others: FaultProxy): Driver {
  let opened = 0
  return {
    ...driver,
    open: (address, options, events) => {
      const port = (opened++ === 0 ? commands : others).port
      return driver.open(address.kind === 'tcp' ? { ...address, port } : address, options, events)
    },
  }
}

/** It hears again: a change by somebody else arrives, and the interruption was told as one gap. */
async function hearsAgain(heard: Heard, { since }: { readonly since: number }): Promise<void> {
  await heard.until('HEARING')
  heard.told.length = 0
  await server.command('SET', 'p:after', 'x')
  await heard.until('p:after')
  const tracked = gaps.filter(({ lane }) => lane === 'tracking')
  assert.equal(tracked.length, 1)
  const [gap] = tracked
  // Told are whole milliseconds of another clock than that of the test.
  assert.ok(gap !== undefined && gap.since <= since + 2 && gap.until >= since, JSON.stringify({ gap, since }))
}

for (const { name, make } of DRIVERS)
  describe(name, () => {
    test('kill -9 and restart: deaf at once, and hearing again', async () => {
      const link = connecting({ driver: make() })
      const heard = new Heard(link, 'p:')
      await heard.hears()
      const since = Date.now()
      await server.kill()
      await heard.until('DEAF', 1000)
      assert.equal(heard.tracking.state, 'deaf')
      await server.start()
      await hearsAgain(heard, { since })
    })

    test('frozen and thawed: deaf, and hearing again', async () => {
      const link = connecting({ driver: make() })
      const heard = new Heard(link, 'p:')
      await heard.hears()
      const since = Date.now()
      server.freeze()
      await heard.until('DEAF', SILENCE_NOTICED_MS)
      server.thaw()
      await hearsAgain(heard, { since })
    })

    for (const [index, which] of ['command connection', 'tracking lane'].entries())
      test(`the ${which} alone is killed: what is changed meanwhile may be missed, and is told so`, async () => {
        const link = connecting({ driver: make() })
        const heard = new Heard(link, 'p:')
        await heard.hears()
        const since = Date.now()
        const before = await ids()
        assert.equal(await server.command('CLIENT', 'KILL', 'ID', before[index] ?? ''), 1)
        await hearsAgain(heard, { since })
        const now = await ids()
        assert.equal(now.includes(before[1 - index] ?? ''), true, 'the other one is kept')
      })

    for (const which of ['command connection', 'tracking lane'])
      test(`the ${which} alone falls silent: noticed without traffic, and mended`, async () => {
        const [commands, others] = [await proxied(), await proxied()]
        const heard = new Heard(connecting({ driver: parted(make(), commands, others) }), 'p:')
        await heard.hears()
        const since = Date.now()
        const silent = which === 'tracking lane' ? others : commands
        silent.set('silent')
        await heard.until('DEAF', SILENCE_NOTICED_MS)
        assert.deepEqual([heard.told, heard.reasons.at(-1)?.code], [['DEAF'], 'silent'])
        silent.set('pass')
        await hearsAgain(heard, { since })
      })
  })

/** The commands that the server has run, in order, as far as they contain one of these words. */
async function ran(...words: string[]): Promise<readonly string[]> {
  const entries = (await server.command('SLOWLOG', 'GET', '-1')) as [number, number, number, string[]][]
  const lines = entries.map(([, , , args]) => args.join(' ')).toReversed()
  return lines.filter((line) => words.some((word) => line.includes(word)))
}

test('what is sent when hearing is told runs after the connections that were left over are killed', async () => {
  const link = connecting({})
  const heard = new Heard(link, 'p:', (state) => {
    if (state === 'hearing') void link.send(['SET', 'replayed', 'x'])
  })
  await heard.hears()
  const [old] = await ids()
  await server.command('CONFIG', 'SET', 'slowlog-max-len', 10_000)
  await server.command('CONFIG', 'SET', 'slowlog-log-slower-than', 0)
  server.freeze()
  await heard.until('DEAF', SILENCE_NOTICED_MS)
  server.thaw()
  await heard.until('HEARING')
  const wanted = await eventually('the server has run it', async () => {
    const lines = await ran('CLIENT KILL', 'CLIENT TRACKING ON', 'replayed')
    return lines.some((line) => line.startsWith('SET')) ? lines : undefined
  })
  await server.command('CONFIG', 'SET', 'slowlog-log-slower-than', -1)
  const [, lane] = /REDIRECT (\d+)/.exec(wanted.join('\n')) ?? []
  assert.deepEqual(wanted, [
    `CLIENT KILL ID ${old}`,
    `CLIENT TRACKING ON REDIRECT ${lane} BCAST NOLOOP PREFIX p:`,
    'SET replayed x',
  ])
})
