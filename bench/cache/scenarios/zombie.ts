/**
 * A writer is cut off and sets version 2, which does not reach the server; a healthy process sets version 3; then the way
 * heals. Does version 2 come back? Three ways to heal: the held bytes are lost with their connections (reset), they
 * flow on (resume), or they arrive two seconds after new connections work (late).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldBackProxy } from '../../../test/support/hold-back-proxy.ts'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'

const CUT_MS = 1500
const LATE_MS = 2000
/** For clients that send again what they had given up. */
const SETTLE_MS = 2500

const WAYS: Readonly<Record<string, (proxy: HoldBackProxy) => Promise<void>>> = {
  reset: async (proxy) => proxy.discard(),
  resume: async (proxy) => proxy.deliver(),
  late: async (proxy) => {
    proxy.abandon()
    await sleep(LATE_MS)
    proxy.deliver()
  },
}

export const zombie: Scenario = {
  name: 'zombie',
  title: 'A write from before the outage, after it: the version that a new process finds',
  takes: ({ l2 }) => l2,
  async play(adapters) {
    const found: string[][] = []
    for (const heal of Object.values(WAYS)) found.push(await playWay(adapters, heal))
    printTable(
      ['contender', ...Object.keys(WAYS)],
      adapters.map(({ name }, n) => [name, ...found.map((way) => way[n] ?? '')]),
    )
  },
}

async function playWay(adapters: readonly Adapter[], heal: (proxy: HoldBackProxy) => Promise<void>): Promise<string[]> {
  await using server = await RedisServer.start()
  await using proxy = await HoldBackProxy.start(server)
  const [writer, healthy, fresh] = await startWorkers(3)
  if (!writer || !healthy || !fresh) throw new Error('Three workers are needed')
  const open = (worker: Worker, port: number): Promise<void[]> =>
    Promise.all(adapters.map((adapter) => worker.call('open', adapter.name, setting(port, adapter))))
  await Promise.all([open(writer, proxy.port), open(healthy, server.port)])
  await untilConnected()
  await Promise.all(adapters.map(({ name }) => writer.call('set', name, 'key', 1)))
  proxy.hold()
  const cutOff = adapters.map(({ name }) => writer.call('set', name, 'key', 2))
  await sleep(CUT_MS)
  await Promise.all([fresh, healthy].map((worker) => worker.call('setTruth', 'key', 3)))
  await Promise.all(adapters.map(({ name }) => healthy.call('set', name, 'key', 3)))
  await heal(proxy)
  await Promise.all(cutOff)
  await sleep(SETTLE_MS)
  await open(fresh, server.port)
  const seen = await Promise.all(adapters.map(({ name }) => fresh.call('read', name, 'key')))
  await stopAll([writer, healthy, fresh])
  return seen.map(({ end, version }) => (version === 3 ? 'ok' : version === undefined ? end : `ZOMBIE: ${version}`))
}
