/**
 * Brings a server into a state and looks at the link: where it stands, what it lets through, how it comes back.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { LinkError } from '../../../../src/errors.ts'
import { createLink, type Capabilities, type HealthState, type RedisLink } from '../../../../src/link/index.ts'
import { RedisServer } from '../../../support/redis-server.ts'
import { eventually } from '../../../support/wait.ts'
import { Callers, type Fate } from '../callers.ts'
import type { NamedDriver } from '../drivers.ts'
import { stalledBetween } from '../loop-watch.ts'
import type { StateRow } from './row.ts'

/** What came of a command: `ok`, or how it was refused. */
export type Result = 'ok' | { readonly code: string; readonly executed: string; readonly reason: string | undefined }

export interface StateOutcome {
  readonly can: Capabilities
  readonly results: Readonly<Record<string, Result>>
  /** States, from the moment at which the expected one was reached to the lifting. */
  readonly statesMeanwhile: readonly HealthState[]
  /** From the lifting of the state to the success of a write that was issued after it. */
  readonly returnMs: number
  readonly fates: readonly Fate[]
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  GET: ['GET', 'state:kept'],
  SET: ['SET', 'state:new', 'value'],
  DEL: ['DEL', 'state:other'],
  EXPIRE: ['EXPIRE', 'state:kept', '1000'],
  PUBLISH: ['PUBLISH', 'state:news', 'message'],
}
/** Long enough to see that the link stays where it is. */
const WATCHED_MS = 1200
const GIVE_UP_AFTER_MS = 9000

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS)

export async function playState(row: StateRow, driver: NamedDriver): Promise<StateOutcome> {
  await using server = await RedisServer.start(row.server)
  await row.prepare?.(server)
  const link = createLink({
    ...(row.redis?.(server) ?? { url: server.url }),
    driver: driver.make(),
    name: 'in-a-state',
  })
  const callers = new Callers(link, 50)
  try {
    return await visit(row, { server, link, callers })
  } finally {
    await link.close()
    await callers.stop()
  }
}

interface Cast {
  readonly server: RedisServer
  readonly link: RedisLink
  readonly callers: Callers
}

async function visit(row: StateRow, { server, link, callers }: Cast): Promise<StateOutcome> {
  if (row.atBoot !== true) await startBusy(link, callers)
  const state = await row.enter(server)
  if (row.atBoot === true) link.start()
  callers.start()
  await reach(link, row)
  const statesMeanwhile: HealthState[] = [link.health.state]
  const stopListening = link.onHealth((health) => void statesMeanwhile.push(health.state))
  const { can } = link.health
  const results = await sendAll(link)
  await delay(WATCHED_MS)
  stopListening()
  const returnMs = await lift(state, callers)
  await callers.stop()
  return { can, results, statesMeanwhile, returnMs, fates: await callers.fates(server) }
}

async function startBusy(link: RedisLink, callers: Callers): Promise<void> {
  link.start()
  await eventually('the link is up', () => link.health.state === 'up')
  await link.send(['SET', 'state:kept', 'value'])
  callers.start()
  await delay(200)
}

async function reach(link: RedisLink, row: StateRow): Promise<void> {
  const there = (): boolean => link.health.state === row.state && link.health.reason.code === row.reason
  await eventually(`${row.state} because ${row.reason}`, there).catch((error: unknown) => {
    throw new Error(`The link is ${JSON.stringify(link.health)}`, { cause: error })
  })
}

async function sendAll(link: RedisLink): Promise<Record<string, Result>> {
  const results: Record<string, Result> = {}
  for (const [name, command] of Object.entries(COMMANDS)) results[name] = await resultOf(link.send(command))
  return results
}

async function resultOf(sent: Promise<unknown>): Promise<Result> {
  return await sent.then(
    () => 'ok',
    (error: unknown) => {
      if (!(error instanceof LinkError)) throw error
      return { code: error.code, executed: error.executed, reason: error.reason?.code }
    },
  )
}

async function lift(state: AsyncDisposable & { restore(): Promise<void> }, callers: Callers): Promise<number> {
  const liftingAt = performance.now()
  await state.restore()
  const liftedAt = performance.now()
  const success = (): number | undefined => callers.successSince(liftingAt)
  const servedAt = await eventually('a write is taken again', success, { timeoutMs: GIVE_UP_AFTER_MS })
  return Math.max(0, servedAt - liftedAt - stalledBetween(liftedAt, servedAt))
}
