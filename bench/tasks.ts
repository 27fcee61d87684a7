/**
 * `npm run bench:tasks [-- enqueue | orders | end-to-end | latency | outages]`: tasks beside the queues people use, on the same
 * servers, in one run.
 */
import type { Adapter } from './tasks/adapter.ts'
import { CONTENDERS } from './tasks/contenders.ts'
import { startLatency } from './tasks/latency.ts'
import { outages } from './tasks/outages.ts'
import { endToEndRates, enqueueRates, orderRates } from './tasks/rates.ts'
import { Stage } from './tasks/stage.ts'

const everyDay = CONTENDERS.filter(({ onlyOutages = false }) => !onlyOutages)

const PARTS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  enqueue: (stage) => enqueueRates(stage, everyDay),
  orders: (stage) => orderRates(stage, everyDay),
  'end-to-end': (stage) => endToEndRates(stage, everyDay),
  latency: (stage) => startLatency(stage, everyDay),
  outages: (stage) => outages(stage, CONTENDERS.filter(usesRedis)),
}

function usesRedis(adapter: Adapter): boolean {
  return adapter.usesRedis === true
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
