/**
 * Deleting 10,000 of 1,000,000 keys by a pattern: how long it takes, and what another client of that Redis feels of it.
 * Beside the recipes that people write by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawClient } from '../../../test/support/raw-client.ts'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { percentile } from '../../../test/support/statistics.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { ms, setting, startWorkers, stopAll, untilConnected, type Scenario } from '../stage.ts'

const KEYS = 1_000_000
const MATCHING = 10_000
const IDLE_MS = 1000

/** Fills the database by itself: a million keys through a socket would take longer than the rest. */
const FILL = `for n = 1, tonumber(ARGV[1]) do redis.call('SET', ARGV[2] .. n, 'a small value') end`

export const globDelete: Scenario = {
  name: 'glob-delete',
  title: `Deleting ${MATCHING.toLocaleString('en')} of ${KEYS.toLocaleString('en')} keys by pattern: another client's GET meanwhile`,
  takes: (adapter) => adapter.deletesPatterns === true,
  async play(adapters) {
    await using server = await RedisServer.start()
    for (let n = 0; n < 10; n++) await server.command('EVAL', FILL, 0, (KEYS - MATCHING) / 10, `other:${n}:`)
    const rows: string[][] = [await row(server, { name: 'idle', run: () => sleep(IDLE_MS) })]
    rows.push(await row(server, { name: 'KEYS + UNLINK', run: (prefix) => byKeys(server, prefix) }))
    for (const count of [10, 1000])
      rows.push(
        await row(server, { name: `SCAN COUNT ${count} + UNLINK`, run: (prefix) => byScan(server, prefix, count) }),
      )
    for (const adapter of adapters) rows.push(await byContender(server, adapter))
    printTable(['contender', 'took, ms', 'left', 'p50, ms', 'p99, ms', 'max, ms'], rows)
  },
}

interface Deletion {
  readonly name: string
  /** Of the keys that are to go. @default 'match' */
  readonly prefix?: string
  readonly run: (prefix: string) => Promise<unknown>
}

async function row(server: RedisServer, { name, prefix = 'match', run }: Deletion): Promise<string[]> {
  const others = (key: string): Promise<unknown> => server.command('EVAL', FILL, 0, MATCHING, key)
  await others(`${prefix}:`)
  const all = Number(await server.command('DBSIZE'))
  using other = await server.connect()
  const feelings = new Feelings(other)
  const startedAt = performance.now()
  await run(prefix)
  const took = performance.now() - startedAt
  const felt = await feelings.stop()
  const left = MATCHING - (all - Number(await server.command('DBSIZE')))
  await byKeys(server, prefix)
  return [name, ms(took), String(left), ...[0.5, 0.99, 1].map((share) => ms(percentile(felt, share), 2))]
}

/** Another client of the same server: one GET after the other, each timed. */
class Feelings {
  readonly #times: number[] = []
  readonly #done: Promise<void>
  #stopped = false

  constructor(client: RawClient) {
    this.#done = this.#ask(client)
  }

  async stop(): Promise<readonly number[]> {
    this.#stopped = true
    await this.#done
    return this.#times
  }

  async #ask(client: RawClient): Promise<void> {
    while (!this.#stopped) {
      const startedAt = performance.now()
      await client.command('GET', 'other:0:1')
      this.#times.push(performance.now() - startedAt)
    }
  }
}

async function byKeys(server: RedisServer, prefix: string): Promise<void> {
  const keys = await server.command('KEYS', `${prefix}:*`)
  if (Array.isArray(keys) && keys.length > 0) await server.command('UNLINK', ...keys.map(String))
}

async function byScan(server: RedisServer, prefix: string, count: number): Promise<void> {
  let cursor = '0'
  do {
    const reply = await server.command('SCAN', cursor, 'MATCH', `${prefix}:*`, 'COUNT', count)
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw new Error(`SCAN answered ${String(reply)}`)
    cursor = String(reply[0])
    if (reply[1].length > 0) await server.command('UNLINK', ...reply[1].map(String))
  } while (cursor !== '0')
}

async function byContender(server: RedisServer, adapter: Adapter): Promise<string[]> {
  const [worker] = await startWorkers(1)
  if (!worker) throw new Error('A worker is needed')
  await worker.call('open', adapter.name, setting(server.port, adapter))
  await untilConnected()
  await worker.call('set', adapter.name, 'match:1', 1)
  const [stored = ''] = (await server.command('KEYS', '*match:1')) as string[]
  const result = await row(server, {
    name: adapter.name,
    prefix: stored.replace(/:1$/, ''),
    run: () => worker.call('deletePattern', adapter.name, 'match:*'),
  })
  await stopAll([worker])
  return result
}
