/**
 * `npm run simulate`: plays seeds, or replays one.
 *
 *     npm run simulate -- --count 10000 --from 1
 *     npm run simulate -- --seed 4711 --trace
 *     npm run simulate -- --mutation 'no heartbeat'      takes a mechanism out and looks how soon that shows
 */
import { parseArgs } from 'node:util'
import { OptionError } from '../../src/errors.ts'
import { numberText, wordOption } from '../../src/options.ts'
import type { Violation } from './invariants.ts'
import { MUTATIONS, type MutationName } from './mutations.ts'
import { simulateRange, type Summary } from './range.ts'
import { simulate, watchRejections, type Simulated } from './simulate.ts'

const MAX_SHOWN = 20

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
    mutation: { type: 'string' },
  },
})

try {
  process.exitCode = values.seed === undefined ? await many() : await one(values.seed)
} catch (error) {
  if (!(error instanceof OptionError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function one(text: string): Promise<number> {
  watchRejections()
  const simulated = await simulate(numberText('--seed', text), { trace: values.trace })
  for (const line of simulated.trace) console.log(line)
  for (const violation of simulated.violations) console.log(shown(violation))
  const seconds = (simulated.virtualMs / 1000).toFixed(0)
  console.log(
    `seed ${simulated.seed}: ${simulated.operations} calls in ${seconds} virtual seconds, ${result(simulated)}`,
  )
  return simulated.violations.length === 0 ? 0 : 1
}

async function many(): Promise<number> {
  const names = Object.keys(MUTATIONS) as MutationName[]
  const mutation = values.mutation === undefined ? undefined : wordOption('--mutation', values.mutation, names)
  const summary = await simulateRange({
    from: numberText('--from', values.from),
    count: numberText('--count', values.count, { min: 1 }),
    ...(mutation === undefined ? {} : { mutation, until: MUTATIONS[mutation].breaks }),
    onProgress: (sofar) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${figures(sofar)} `)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\n')
  for (const simulated of summary.failed.slice(0, MAX_SHOWN)) tell(simulated)
  console.log(figures(summary))
  return summary.failed.length === 0 ? 0 : 1
}

function tell(simulated: Simulated): void {
  const [first] = simulated.violations
  console.log(`seed ${simulated.seed}: ${result(simulated)}, the first:`)
  if (first !== undefined) console.log(shown(first))
  console.log(`  npm run simulate -- --seed ${simulated.seed} --trace`)
}

function shown({ rule, at, text }: Violation): string {
  return `  ${rule} at ${at.toFixed(2)} ms: ${text}`
}

function result({ violations }: Simulated): string {
  return `${violations.length} ${violations.length === 1 ? 'violation' : 'violations'}`
}

function figures({ played, virtualHours, operations, seconds, failed }: Summary): string {
  const speed = (virtualHours * 3600) / seconds
  return (
    `${played} seeds, ${virtualHours.toFixed(1)} virtual hours, ${operations} calls in ${seconds.toFixed(1)} s ` +
    `(${speed.toFixed(0)} times real time): ${failed.length} failed`
  )
}
