/** What every scenario needs: workers that end with it, settings, a moment to connect, the oracle's view of the server. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CallableProcess } from '../../test/support/callable-process.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
import type { Adapter, Setting } from './adapter.ts'
import type { WorkerFunctions } from './worker/worker.ts'

/** A table of contenders, measured side by side and printed. */
export interface Scenario {
  /** As it is typed. */
  readonly name: string
  readonly title: string
  /** Who can take part. */
  takes(adapter: Adapter): boolean
  play(adapters: readonly Adapter[]): Promise<void>
}

export type Worker = CallableProcess<WorkerFunctions>

const WORKER = new URL('worker/worker.ts', import.meta.url)

export async function startWorkers(count: number): Promise<Worker[]> {
  const start = (): Promise<Worker> => CallableProcess.start<WorkerFunctions>(WORKER, { execArgv: ['--expose-gc'] })
  return await Promise.all(Array.from({ length: count }, start))
}

export async function stopAll(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()))
}

export function setting(port: number, adapter: Adapter, tuning: Partial<Setting> = {}): Setting {
  const prefix = adapter.name.replaceAll(/[^a-z0-9]+/g, '-')
  return { port, prefix, l1TtlMs: 60_000, l2TtlMs: 300_000, maxEntries: 50_000, ...tuning }
}

/** Some open at once and connect later, and lose what they are told in between. */
export async function untilConnected(): Promise<void> {
  await sleep(500)
}

/** Every key of the server that contains both words, by SCAN. */
export async function keysWith(server: RedisServer, prefix: string, key: string): Promise<string[]> {
  const found: string[] = []
  let cursor = '0'
  do {
    const reply = await server.command('SCAN', cursor, 'MATCH', `*${prefix}*${key}*`, 'COUNT', 1000)
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw new Error(`SCAN answered ${String(reply)}`)
    cursor = String(reply[0])
    found.push(...reply[1].map(String))
  } while (cursor !== '0')
  return found
}

export function ms(value: number, digits = 0): string {
  return Number.isNaN(value) ? '–' : value.toFixed(digits)
}

/** What is measured against a yardstick; `–` where that does not take part. */
export function ratio(value: number, yardstick: number): string {
  return Number.isNaN(value / yardstick) ? '–' : `${(value / yardstick).toFixed(2)}×`
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))
}
