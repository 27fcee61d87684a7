/**
 * `npm run check`: everything that can be said about the project without a server.
 * One line per step; the full output only of those that fail. `npm run check -- lint types` runs these alone.
 */
import { availableParallelism } from 'node:os'
import { runCommand, type Outcome } from './command.ts'

/** The longest first, so that the short ones fill the gaps. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  package: ['node', 'scripts/check-package.ts'],
  unit: ['node', '--conditions=evenkeel-source', 'scripts/check-unit.ts'],
  unused: ['knip', '--no-progress'],
  docs: ['node', 'scripts/check-docs.ts'],
  // Each checker reads what all files share for itself: a second one takes as much from the steps beside it as it gains here.
  types: ['tsc', '-p', 'tsconfig.json', '--checkers', '1', '--pretty', 'false'],
  lint: ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  lock: ['node', 'scripts/check-lock.ts'],
  boundaries: ['node', 'scripts/check-boundaries.ts'],
  format: ['oxfmt', '--check'],
}

/** Ends what hangs; a machine that others use too takes minutes for the unit tests. */
const STEP_LIMIT_MS = 600_000

const started = performance.now()
const queue = chosenSteps(process.argv.slice(2))
const failed: string[] = []
await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(`${failed.length === 0 ? '✔ all steps passed' : `✖ ${failed.join(', ')} failed`} (${seconds(started)} s)`)
process.exitCode = failed.length === 0 ? 0 : 1

function chosenSteps(names: readonly string[]): string[] {
  const unknown = names.filter((name) => !Object.hasOwn(STEPS, name))
  if (unknown.length > 0) throw new Error(`No step ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}.`)
  return Object.keys(STEPS).filter((name) => names.length === 0 || names.includes(name))
}

async function work(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const outcome = await runCommand(STEPS[name] ?? [], { limitMs: STEP_LIMIT_MS })
    if (!outcome.ok) failed.push(name)
    print(name, outcome)
  }
}

function print(name: string, outcome: Outcome): void {
  console.log(`${outcome.ok ? '✔' : '✖'} ${name.padEnd(12)} ${outcome.seconds.toFixed(1)} s`)
  if (!outcome.ok) console.log(outcome.output.trimEnd().replace(/^/gm, '  '))
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
