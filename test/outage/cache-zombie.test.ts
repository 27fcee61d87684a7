/**
 * A write from before the outage, after it: a writer whose way to the server is held up sets version 2, a healthy process
 * sets version 3, then the way heals. Version 2 must not come back: not when the held bytes are lost, not when they
 * flow on, not when they arrive two seconds after new connections work.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldBackProxy } from '../support/hold-back-proxy.ts'
import { eventually } from '../support/wait.ts'
import { openUp } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

/** Until the link has given the silent connection up. */
const HELD_MS = 1500
const LATE_MS = 2000
/** For what arrives to be executed, and replayed if it must be. */
const SETTLE_MS = 500

const { server, processes } = await stageOfFile(3)

type Heal = (proxy: HoldBackProxy) => Promise<void> | void

/** Returns what a process without a copy finds at the end. */
async function play(name: string, heal: Heal): Promise<number | undefined> {
  await using proxy = await HoldBackProxy.start(server)
  const [writer, healthy, fresh] = [processes.at(0), processes.at(1), processes.at(2)]
  await Promise.all([openUp(writer, { port: proxy.port }), openUp(healthy, { port: server.port })])
  const { told } = await writer.call('set', name, 1)
  assert.equal(told, 'applied')
  proxy.hold()
  const cutOff = await writer.call('set', name, 2)
  assert.equal(cutOff.told, 'journalled')
  await sleep(HELD_MS)
  await processes.tell(name, 3)
  assert.equal((await healthy.call('set', name, 3)).told, 'applied')
  await heal(proxy)
  await sleep(SETTLE_MS)
  await openUp(fresh, { port: server.port })
  return (await fresh.call('read', name)).version
}

const WAYS: Readonly<Record<string, Heal>> = {
  'are lost': (proxy) => proxy.discard(),
  'flow on': (proxy) => proxy.deliver(),
  'arrive late': async (proxy) => {
    proxy.abandon()
    await sleep(LATE_MS)
    proxy.deliver()
  },
}

for (const [what, heal] of Object.entries(WAYS))
  test(`the held bytes ${what}: the later value stays`, async () => {
    assert.equal(await play(what, heal), 3)
  })

test('without the right to kill what we left behind, late bytes bring the old value back', async () => {
  await server.command('ACL', 'SETUSER', 'default', '-client|kill')
  try {
    const version = await eventually('the play', () => play('no kill', WAYS['arrive late'] ?? (() => undefined)))
    assert.equal(version, 2)
  } finally {
    await server.command('ACL', 'SETUSER', 'default', '+client|kill')
  }
})
