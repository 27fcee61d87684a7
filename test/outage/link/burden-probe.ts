/** Runs burden-child.ts in a process of its own against a server behind a fault proxy. */
import { once } from 'node:events'
import { FaultProxy, type Fault } from '../../support/fault-proxy.ts'
import { exited, spawnLeashed } from '../../support/leash.ts'
import { RedisServer } from '../../support/redis-server.ts'
import type { Weight } from './burden-child.ts'

export interface Burden {
  readonly weights: readonly Weight[]
  /** After each heal, in milliseconds. */
  readonly longestTurns: readonly number[]
}

const PROGRAM = new URL('burden-child.ts', import.meta.url).pathname

/** One outage after the other, each with a link of its own. */
export async function burdenOf(driver: string, fault: Fault, outagesMs: readonly number[]): Promise<Burden> {
  await using server = await RedisServer.start()
  await using proxy = await FaultProxy.start(server)
  const flags = ['--conditions=evenkeel-source', '--expose-gc']
  const child = spawnLeashed(
    process.execPath,
    [...flags, PROGRAM, driver, String(proxy.port), ...outagesMs.map(String)],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The probe ended with ${code}`)
  })
  ended.catch(() => 'it may end when it is through')
  const heard = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0]
  const weights: Weight[] = []
  const longestTurns: number[] = []
  for (const _ of outagesMs) {
    await heard()
    proxy.set(fault)
    child.send('go on')
    weights.push((await heard()) as Weight)
    proxy.set('pass')
    child.send('go on')
    longestTurns.push(Number(await heard()))
    child.send('go on')
  }
  await exited(child)
  return { weights, longestTurns }
}
