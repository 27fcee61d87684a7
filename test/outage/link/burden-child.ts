/**
 * An application of its own process that calls 2,000 times a second, whatever its Redis does, and weighs what the link costs it.
 * Started by burden-probe.ts with `--expose-gc`, the name of a client library and a port.
 *
 *     parent   ◀── warm ───            ◀── Weight ───              ◀── longest turn ───
 *     this     ─── calls ─▶ ─ fault ─▶ ── calls ────▶ ── heal ───▶ ── calls ─────────▶ next
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createLink, type RedisLink } from '../../../src/link/index.ts'
import { eventually } from '../../support/wait.ts'
import { DRIVERS } from './drivers.ts'

/** What the calls of one outage left behind. */
export interface Weight {
  readonly heapGrowthMb: number
  readonly inFlight: number
  readonly refused: number
}

const EVERY_MS = 5
const CALLS_AT_ONCE = 10
const WARM_UP_MS = 2000
/** By then the link knows of the outage, and what it had in flight is gone. */
const NOTICED_MS = 1500
const AFTER_HEAL_MS = 2000

const [, , driverName, port, ...outagesMs] = process.argv
const driver = DRIVERS.find(({ name }) => name === driverName)
const { gc } = globalThis
if (driver === undefined || gc === undefined || process.send === undefined)
  throw new Error('Start me by burden-probe.ts')
for (const outageMs of outagesMs) await liveThrough(driver.make(), Number(outageMs))
process.disconnect()

async function liveThrough(driver: ReturnType<(typeof DRIVERS)[number]['make']>, outageMs: number): Promise<void> {
  const link = createLink({ port: Number(port), driver })
  link.start()
  await eventually('the link is up', () => link.health.state === 'up')
  const calls = setInterval(() => callSome(link), EVERY_MS)
  await delay(WARM_UP_MS)
  await tell('warm')
  await delay(NOTICED_MS)
  const refusedBefore = link.stats.refused
  const heapBefore = heapInUse()
  await delay(outageMs)
  const weight: Weight = {
    heapGrowthMb: (heapInUse() - heapBefore) / 1024 ** 2,
    inFlight: link.stats.inFlight,
    refused: link.stats.refused - refusedBefore,
  }
  await tell(weight)
  await tell(await longestTurn(AFTER_HEAL_MS))
  clearInterval(calls)
  await link.close()
}

/** Says it to the parent and waits for the word to go on. */
async function tell(message: 'warm' | Weight | number): Promise<void> {
  const answered = once(process, 'message')
  process.send?.(message)
  await answered
}

function callSome(link: RedisLink): void {
  for (let n = 0; n < CALLS_AT_ONCE; n++) link.send(['INCR', 'count']).catch(() => 'refused, as most of them are')
}

function heapInUse(): number {
  gc?.()
  return process.memoryUsage().heapUsed
}

/**
 * The longest time in milliseconds for which the event loop was busy with this process' own work: how late a timer was, but
 * no more than the CPU time that was spent meanwhile, because a busy machine makes timers late too.
 */
async function longestTurn(forMs: number): Promise<number> {
  let longest = 0
  const endsAt = performance.now() + forMs
  while (performance.now() < endsAt) {
    const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
    await delay(EVERY_MS)
    const late = performance.now() - startedAt - EVERY_MS
    const { user, system } = process.cpuUsage(cpu)
    longest = Math.max(longest, Math.min(late, (user + system) / 1000))
  }
  return longest
}
