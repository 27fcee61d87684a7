/**
 * `npm run bench:tasks [-- enqueue | orders | end-to-end | latency | outages | frozen]`: tasks beside the queues people use, on the same
 * servers, in one run.
 */
import type { Adapter } from './tasks/adapter.ts'
import { CONTENDERS } from './tasks/contenders.ts'
import { frozenOrders } from './tasks/frozen.ts'
import { startLatency } from './tasks/latency.ts'
import { outages } from './tasks/outages.ts'
import { endToEndRates, enqueueRates, orderRates } from './tasks/rates.ts'
import { Stage } from './tasks/stage.ts'

const everyDay = CONTENDERS.filter(({ only }) => only === undefined)

const PARTS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  enqueue: (stage) => enqueueRates(stage, everyDay),
  orders: (stage) => orderRates(stage, everyDay),
  'end-to-end': (stage) => endToEndRates(stage, everyDay),
  latency: (stage) =>
    startLatency(
      stage,
      CONTENDERS.filter(({ only = 'latency' }) => only === 'latency'),
    ),
  outages: (stage) =>
    outages(
      stage,
      CONTENDERS.filter(({ usesRedis = false }) => usesRedis),
    ),
  frozen: (stage) => frozenOrders(stage, CONTENDERS.filter(isOurs)),
}

/** Where orders wait for a frozen Redis there is nothing to compare. */
function isOurs({ name, usesRedis = false, oneProcess = false }: Adapter): boolean {
  return usesRedis && (name === 'evenkeel, PostgreSQL' || oneProcess)
}

const wanted = process.argv.slice(2)
const parts = (wanted.length === 0 ? Object.keys(PARTS) : wanted).map((name) => {
  const part = PARTS[name]
  if (part !== undefined) return part
  console.error(`Unknown part '${name}'; known: ${Object.keys(PARTS).join(', ')}.`)
  process.exit(2)
})
await using stage = await Stage.start()
for (const part of parts) await part(stage)
