/** Stampede: 1,000 callers of each process want one key that nobody has; and once more with a source that fails. */
import { RedisServer } from '../../../test/support/redis-server.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { ms, setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'
import type { Storm } from '../../../test/support/cache-callers/load.ts'

const PROCESSES = 4
const CALLERS = 1000
const LOAD_MS = 50

export const stampede: Scenario = {
  name: 'stampede',
  title: `Stampede: ${CALLERS} callers in 1 and in ${PROCESSES} processes, the load takes ${LOAD_MS} ms`,
  takes: () => true,
  async play(adapters) {
    await using server = await RedisServer.start()
    const workers = await startWorkers(PROCESSES)
    const rows: string[][] = []
    for (const adapter of adapters) rows.push(await storms(adapter, server.port, workers))
    await stopAll(workers)
    printTable(['contender', '1 process', `${PROCESSES} processes`, 'failing load'], rows)
  },
}

async function storms(adapter: Adapter, port: number, workers: readonly Worker[]): Promise<string[]> {
  const { name } = adapter
  await Promise.all(workers.map((worker) => worker.call('open', name, setting(port, adapter))))
  await untilConnected()
  const order = { callers: CALLERS, loadMs: LOAD_MS, fails: false }
  const at = (count: number, key: string, fails = false): Promise<Storm[]> =>
    Promise.all(workers.slice(0, count).map((worker) => worker.call('storm', name, { ...order, key, fails })))
  const [one, all] = [await at(1, 'one'), await at(PROCESSES, 'all')]
  const failing = await at(1, 'failing', true)
  await Promise.all(workers.map((worker) => worker.call('close', name)))
  return [name, succeeded(one), succeeded(all), failed(failing)]
}

function succeeded(storms: readonly Storm[]): string {
  const { loads, nothing, rejected, hung, lastMs } = together(storms)
  const odd = nothing + rejected + hung
  return `${loads} loads, last answer ${ms(lastMs)} ms${odd === 0 ? '' : `, ${odd} without a value`}`
}

function failed(storms: readonly Storm[]): string {
  const { loads, rejected, nothing, hung, lastMs } = together(storms)
  const others = [nothing > 0 ? `${nothing} got undefined` : '', hung > 0 ? `${hung} not after 4 s` : '']
  const told = [`${rejected} got the error`, ...others].filter((text) => text !== '')
  return `${loads} loads, ${told.join(', ')}, last answer ${ms(lastMs)} ms`
}

function together(storms: readonly Storm[]): Storm {
  const sum = (pick: (storm: Storm) => number): number => storms.reduce((total, storm) => total + pick(storm), 0)
  return {
    loads: sum(({ loads }) => loads),
    values: sum(({ values }) => values),
    rejected: sum(({ rejected }) => rejected),
    nothing: sum(({ nothing }) => nothing),
    hung: sum(({ hung }) => hung),
    lastMs: Math.max(...storms.map(({ lastMs }) => lastMs)),
  }
}
