/**
 * `npm run bench:outage [-- word …]`: what an application waits for while Redis is dead and frozen, with the stores, limiters, caches and
 * queues that people plug in and with Evenkeel in the same place. Each contender has a process and a Redis of its own.
 * `npm run bench:outage -- --cap 4 session` plays everybody whose name contains the word, and waits 4 s for a call instead of 12.
 */
import { parseArgs } from 'node:util'
import { printTable } from './link/table.ts'
import { titleOf } from './outage/adapter.ts'
import { CONTENDERS } from './outage/contenders.ts'
import { play } from './outage/play.ts'
import { HEADER, rowOf } from './outage/table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Seconds that a call is waited for. */
    cap: { type: 'string', default: '12' },
    /** Contenders that play at the same time. */
    'at-once': { type: 'string', default: '8' },
  },
})
const capMs = seconds('cap', values.cap) * 1000
const adapters = CONTENDERS.filter(
  (adapter) => positionals.length === 0 || positionals.some((word) => titleOf(adapter).includes(word)),
)
if (adapters.length === 0) {
  console.error(`Nobody is called ${positionals.join(', ')}; known: ${CONTENDERS.map(titleOf).join(', ')}.`)
  process.exit(2)
}

const rows: string[][] = adapters.map(() => [])
const waiting = adapters.entries()
await Promise.all(Array.from({ length: seconds('at-once', values['at-once']) }, playOn))
console.log(`\nOutages: a call is waited for ${capMs / 1000} s\n`)
printTable(HEADER, rows)
// Workers and servers go with this process.
process.exit(0)

/** Takes the next one as long as there is one. */
async function playOn(): Promise<void> {
  for (const [at, adapter] of waiting) {
    rows[at] = rowOf(await play(adapter, capMs), capMs)
    if (process.stderr.isTTY) console.error(`${titleOf(adapter)} has played`)
  }
}

function seconds(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  console.error(`Expected --${name} to be a number above 0, got '${text}'.`)
  process.exit(2)
}
