/**
 * Outages: one caller every 100 ms increments a key of its own, so that the server can be asked afterwards what became of
 * each call. All contenders run side by side on one server, each behind a fault proxy of its own.
 *
 * - worst wait     the longest that a caller waited for an answer or an error
 * - back           from the end of the fault to the first call that was issued after it and succeeded
 * - twice          calls that the server executed twice
 * - error, yet ran calls that ended with an error and were executed all the same
 * - never          calls that were not settled when the scene was over
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy, type Fault } from '../../test/support/fault-proxy.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import type { Adapter, Contender } from './adapter.ts'
import { printTable } from './table.ts'

interface Scene {
  readonly name: string
  readonly faultMs: number
  begin(stage: Stage): void
  end(stage: Stage): void
}

interface Stage {
  readonly server: RedisServer
  readonly proxies: readonly FaultProxy[]
}

const everywhere =
  (fault: Fault, reset = false) =>
  ({ proxies }: Stage): void => {
    for (const proxy of proxies) {
      proxy.set(fault)
      if (reset) proxy.resetConnections()
    }
  }

const SCENES: readonly Scene[] = [
  { name: 'frozen 5 s (SIGSTOP)', faultMs: 5000, begin: (on) => on.server.freeze(), end: (on) => on.server.thaw() },
  { name: 'refused 8 s', faultMs: 8000, begin: everywhere('refuse'), end: everywhere('pass') },
  { name: 'accepts, but silent 8 s', faultMs: 8000, begin: everywhere('silent'), end: everywhere('pass') },
  { name: 'replies lost 3 s, reset', faultMs: 3000, begin: everywhere('drop-replies'), end: everywhere('pass', true) },
]

const EVERY_MS = 100
const BEFORE_MS = 1000
/** A contender that is not back after this is not coming back. */
const AFTER_MS = 10_000

interface Call {
  readonly key: string
  readonly issuedAt: number
  settledAt: number | undefined
  ok: boolean
}

export async function outages(adapters: readonly Adapter[]): Promise<void> {
  for (const scene of SCENES) {
    console.log(`\n${scene.name}\n`)
    printTable(['contender', 'worst wait', 'back', 'twice', 'error, yet ran', 'never'], await play(scene, adapters))
  }
}

async function play(scene: Scene, adapters: readonly Adapter[]): Promise<string[][]> {
  await using server = await RedisServer.start()
  const proxies = await Promise.all(adapters.map(() => FaultProxy.start({ port: server.port })))
  const stage = { server, proxies }
  const contenders = await Promise.all(adapters.map((adapter, n) => adapter.connect(proxies[n]?.port ?? 0)))
  const logs = contenders.map((contender, n) => callers(contender, `${n}`))
  await sleep(BEFORE_MS)
  scene.begin(stage)
  await sleep(scene.faultMs)
  scene.end(stage)
  const healedAt = performance.now()
  await sleep(AFTER_MS)
  const rows: string[][] = []
  for (const [n, adapter] of adapters.entries())
    rows.push(await judge(adapter.name, logs[n]?.stop() ?? [], { server, healedAt }))
  for (const contender of contenders) await contender.close()
  for (const proxy of proxies) await proxy.close()
  return rows
}

function callers(contender: Contender, prefix: string): { stop(): Call[] } {
  const calls: Call[] = []
  const timer = setInterval(() => {
    const call: Call = {
      key: `op:${prefix}:${calls.length}`,
      issuedAt: performance.now(),
      settledAt: undefined,
      ok: false,
    }
    calls.push(call)
    const settle = (ok: boolean) => (): void => {
      call.settledAt = performance.now()
      call.ok = ok
    }
    contender.send(['INCR', call.key]).then(settle(true), settle(false))
  }, EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return calls
    },
  }
}

async function judge(
  name: string,
  calls: readonly Call[],
  on: { server: RedisServer; healedAt: number },
): Promise<string[]> {
  const now = performance.now()
  const waits = calls.map((call) => (call.settledAt ?? now) - call.issuedAt)
  const first = calls.find((call) => call.ok && call.issuedAt >= on.healedAt)
  let twice = 0
  let ran = 0
  for (const call of calls) {
    const count = Number((await on.server.command('GET', call.key)) ?? 0)
    if (count > 1) twice += 1
    if (!call.ok && call.settledAt !== undefined && count > 0) ran += 1
  }
  const never = calls.filter((call) => call.settledAt === undefined && call.issuedAt < now - 1000).length
  const back = first?.settledAt === undefined ? `not in ${AFTER_MS / 1000} s` : ms(first.settledAt - on.healedAt)
  return [name, ms(Math.max(...waits)), back, String(twice), String(ran), String(never)]
}

function ms(value: number): string {
  return `${Math.round(value).toLocaleString('en')} ms`
}
