/**
 * `npm run chaos:tasks`: the long form of the chaos.
 *
 *     npm run chaos:tasks -- --seconds 60 --seed 7                    both engines, one after the other
 *     npm run chaos:tasks -- --engine sqlite --without-fence          shows what the fence is for: it must fail
 */
import { parseArgs } from 'node:util'
import { OptionError } from '../../../src/errors.ts'
import { numberText, wordOption } from '../../../src/options.ts'
import { runChaos } from './chaos.ts'
import { brokenPromises } from './judge.ts'
import type { Engine } from './ledger.ts'
import { tableOf } from './table.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string' },
    'without-fence': { type: 'boolean', default: false },
  },
})

/** The figures of the promises, and a little for a machine that does other things as well. */
const SLACK = { orderMs: 0, p99Ms: 5, hintMs: 0 }
const ENGINES: readonly Engine[] = ['postgres', 'sqlite']

try {
  process.exitCode = await play()
} catch (error) {
  if (!(error instanceof OptionError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function play(): Promise<number> {
  const seconds = numberText('--seconds', values.seconds, { min: 1 })
  const seed = numberText('--seed', values.seed)
  const engines = values.engine === undefined ? ENGINES : [wordOption('--engine', values.engine, ENGINES)]
  let broken = 0
  for (const engine of engines) {
    const run = await runChaos({ engine, seconds, seed, withoutFence: values['without-fence'] })
    console.log(`\n${tableOf(run)}`)
    for (const promise of brokenPromises(run, SLACK)) {
      console.log(`✖ ${promise}`)
      broken += 1
    }
  }
  return broken === 0 ? 0 : 1
}
