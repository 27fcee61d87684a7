/**
 * Changes during an outage: key A is set and key B deleted while Redis is away or out of the writer's or the reader's
 * reach. Once it is back, nobody reads the old values for longer than promised: not the writer, not a reader with copies
 * of both in memory, not a process that starts afterwards. And with a mechanism taken out, somebody does.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheTuning } from '../../src/cache/index.ts'
import { now } from '../support/cache-callers/calls.ts'
import type { Sighting } from '../support/cache-callers/load.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { median } from '../support/statistics.ts'
import { eventually, freePort } from '../support/wait.ts'
import type { OpenOrder } from './cache/cache-functions.ts'
import { openUp, PATIENCE_MS, Processes, warmUp } from './cache/processes.ts'

const PROMISED_MS = 500
/** Two cores, three processes with readers and a server that starts: the moment of the end is told late, too. */
const SLACK_MS = 250
/** The promise is about the median: how soon a link tries again has a share of chance. */
const ROUNDS = 3
/** Where nobody hangs up on a reader that comes back, all of it is chance: pauses between attempts are up to a second. */
const ROUNDS_OF_CHANCE = 7
const AWAY_MS = 900
/** Readers are watched so long after the end; what is stale by then is so to the end of its life. */
const WATCH_MS = 1500
const EVERY_MS = 20
const KEYS = ['A', 'B']
/** Each with four processes that mostly wait. */
const AT_ONCE = 4

interface Ways {
  readonly server: RedisServer
  readonly writer: FaultProxy
  readonly reader: FaultProxy
}

interface Outage {
  readonly name: string
  /** How often it is played, for the median. @default 3 */
  readonly rounds?: number
  readonly begin: (ways: Ways) => Promise<void> | void
  readonly end: (ways: Ways) => Promise<void> | void
}

const cut = (way: 'writer' | 'reader'): Outage => ({
  name: `the ${way} is cut off`,
  begin: (ways) => ways[way].set('silent'),
  end: (ways) => {
    ways[way].set('pass')
    ways[way].resetConnections()
  },
})

const KILLED: Outage = {
  name: 'killed and back with old data',
  rounds: ROUNDS_OF_CHANCE,
  begin: async ({ server }) => {
    await server.command('SAVE')
    await server.kill()
  },
  end: ({ server }) => server.start(),
}
const FROZEN: Outage = {
  name: 'frozen',
  begin: ({ server }) => server.freeze(),
  end: ({ server }) => server.thaw(),
}
const WRITER_CUT = cut('writer')
const READER_CUT = cut('reader')

/** Longest staleness after the end, in milliseconds, by reader. */
interface Staleness {
  readonly writer: number
  readonly warm: number
  readonly cold: number
}

interface PlayOptions extends Pick<OpenOrder, 'without' | 'connection'> {
  readonly tuning?: CacheTuning
}

/** A server, ways to it, a writer, a reader and one who comes later: a test has one to itself, so that they can play side by side. */
class Stage implements AsyncDisposable {
  static readonly #all: Stage[] = []
  static readonly #free: Stage[] = []
  readonly ways: Ways
  readonly processes: Processes
  #plays = 0

  private constructor(ways: Ways, processes: Processes) {
    this.ways = ways
    this.processes = processes
  }

  /** One that is free, or another one. */
  static async take(): Promise<Stage> {
    const free = Stage.#free.pop()
    if (free !== undefined) return free
    const server = await RedisServer.start({ port: await freePort() })
    const ways = { server, writer: await FaultProxy.start(server), reader: await FaultProxy.start(server) }
    const stage = new Stage(ways, await Processes.start(3))
    Stage.#all.push(stage)
    return stage
  }

  async medians(outage: Outage, options?: PlayOptions): Promise<Staleness> {
    const rounds: Staleness[] = []
    for (let n = 0; n < (outage.rounds ?? ROUNDS); n++) rounds.push(await this.play(outage, options))
    const of = (who: keyof Staleness): number => median(rounds.map((round) => round[who]))
    return { writer: of('writer'), warm: of('warm'), cold: of('cold') }
  }

  async play(outage: Outage, options: PlayOptions = {}): Promise<Staleness> {
    const { tuning = {}, ...rest } = options
    const [writer, warm, cold] = [this.processes.at(0), this.processes.at(1), this.processes.at(2)]
    // Each play has keys of its own, for the server keeps its data.
    const keys = KEYS.map((key) => `${key}${this.#plays}`)
    const [a = '', b = ''] = keys
    this.#plays += 1
    const order = (port: number): OpenOrder => ({ ...rest, port, tuning: { l1: { ttlMs: 60_000 }, ...tuning } })
    const tell = (version: number): Promise<unknown> =>
      Promise.all(keys.map((key) => this.processes.tell(key, version)))
    await tell(1)
    await Promise.all([openUp(writer, order(this.ways.writer.port)), openUp(warm, order(this.ways.reader.port))])
    for (const one of [writer, warm]) for (const key of keys) await warmUp(one, key)
    // The way to the server itself is the same for all; a proxy before a dead server would answer for it.
    await outage.begin(this.ways)
    await Promise.all([writer, warm].map((one) => one.call('watch', keys, EVERY_MS)))
    await sleep(AWAY_MS / 3)
    await tell(2)
    const changed = await Promise.all([writer.call('set', a, 2), writer.call('remove', b)])
    for (const { told } of changed) assert.match(told, /^(applied|journalled)$/)
    await sleep((AWAY_MS * 2) / 3)
    await outage.end(this.ways)
    const endedAt = now()
    await cold.call('open', order(this.ways.server.port))
    await cold.call('watch', keys, EVERY_MS)
    await sleep(WATCH_MS)
    const [w, r, c] = await this.processes.each((one) => one.call('watched'))
    return { writer: staleness(w, endedAt), warm: staleness(r, endedAt), cold: staleness(c, endedAt) }
  }

  /** Gives it back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes.each((one) => one.call('close'))
    Stage.#free.push(this)
  }

  static async stopAll(): Promise<void> {
    for (const { processes, ways } of Stage.#all) {
      await processes.stop()
      await ways.writer.close()
      await ways.reader.close()
      await ways.server.stop()
    }
  }
}

function staleness(sightings: readonly Sighting[] = [], endedAt: number): number {
  assert.ok(sightings.some(({ version, lastAt }) => version === 2 && lastAt > endedAt) || sightings.length > 0)
  const old = sightings.filter(({ version }) => version === 1).map(({ lastAt }) => Math.round(lastAt - endedAt))
  return Math.max(0, ...old)
}

after(() => Stage.stopAll())

describe('nobody reads what was changed during the outage', { concurrency: AT_ONCE }, () => {
  for (const outage of [KILLED, FROZEN, WRITER_CUT, READER_CUT])
    for (const afterRestart of outage === KILLED ? (['distrust', 'replay'] as const) : (['distrust'] as const))
      test(`${outage.name}, afterRestart: ${afterRestart}`, async (t) => {
        await using stage = await Stage.take()
        const stale = await stage.medians(outage, { tuning: { afterRestart } })
        t.diagnostic(JSON.stringify(stale))
        for (const [who, ms] of Object.entries(stale)) assert.ok(ms <= PROMISED_MS + SLACK_MS, `${who}: ${ms} ms`)
      })

  test('a process that dies with its journal: distrust covers for it', async (t) => {
    await using stage = await Stage.take()
    const writerDies: Outage = {
      ...KILLED,
      end: async (on) => {
        await stage.processes.at(0).call('close')
        await KILLED.end(on)
      },
    }
    const { warm, cold } = await stage.medians(writerDies)
    t.diagnostic(JSON.stringify({ warm, cold }))
    assert.ok(cold <= PROMISED_MS + SLACK_MS, `${cold} ms`)
    assert.ok(warm <= PROMISED_MS + SLACK_MS, `${warm} ms`)
  })
})

/** Stale to the end of its life. */
const TO_THE_END_MS = WATCH_MS - 300

describe('with a mechanism taken out somebody does', { concurrency: AT_ONCE }, () => {
  test('journal: what the cut-off writer changed is never told', async () => {
    await using stage = await Stage.take()
    const { warm, cold } = await stage.play(WRITER_CUT, { without: { journal: true } })
    assert.ok(Math.max(warm, cold) >= TO_THE_END_MS, JSON.stringify({ warm, cold }))
  })

  test('epoch: a reader that was cut off goes on with its copies', async () => {
    await using stage = await Stage.take()
    const { warm } = await stage.play(READER_CUT, { without: { epoch: true } })
    assert.ok(warm >= TO_THE_END_MS, `${warm} ms`)
  })

  test('tracking: a reader is not told what the writer replays', async () => {
    await using stage = await Stage.take()
    const { warm } = await stage.play(WRITER_CUT, { without: { tracking: true } })
    assert.ok(warm >= TO_THE_END_MS, `${warm} ms`)
  })
})

describe('a reader that is cut off without a word', { concurrency: AT_ONCE }, () => {
  /** Answers out of memory need no connection, so nobody but the heartbeat asks whether it is still there. */
  async function copyAfter(heartbeatMs: number): Promise<{ state: string; version: number | undefined }> {
    await using stage = await Stage.take()
    const { processes, ways } = stage
    const [writer, reader] = [processes.at(0), processes.at(1)]
    const key = `silent-${heartbeatMs}`
    await processes.tell(key, 1)
    const order = { tuning: { l1: { ttlMs: 60_000 } }, connection: { heartbeatMs } }
    await Promise.all([
      openUp(writer, { ...order, port: ways.server.port }),
      openUp(reader, { ...order, port: ways.reader.port }),
    ])
    await warmUp(reader, key)
    ways.reader.set('drop-all')
    await processes.tell(key, 2)
    await writer.call('remove', key)
    await sleep(NOTICED_MS)
    ways.reader.set('pass')
    if (heartbeatMs < NOTICED_MS) await reader.call('untilState', 'up', PATIENCE_MS)
    const version = await eventually('an answer', async () => (await reader.call('read', key)).version)
    return { state: (await reader.call('health')).state, version }
  }
  const NOTICED_MS = 2500

  test('finds out by the heartbeat, and reads anew', async () => {
    assert.deepEqual(await copyAfter(300), { state: 'up', version: 2 })
  })

  test('without the heartbeat it goes on with its copy', async () => {
    assert.deepEqual(await copyAfter(600_000), { state: 'up', version: 1 })
  })
})
