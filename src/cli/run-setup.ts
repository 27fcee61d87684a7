/** Makes the plan, shows it, and does what was wished: nothing, ask, or apply. */
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  applyPlan,
  hasComposeFile,
  hasNothingToDo,
  HOST_JOURNAL,
  placeIn,
  planCompose,
  planEnv,
  planRedisConf,
  planRedisHost,
  planUndo,
  reachCompose,
  reachHost,
  thisHost,
  undoLast,
  type Applied,
  type Host,
  type Plan,
  type Reach,
} from '../operate/index.ts'
import type { EnvArguments, SetupArguments, SetupMode } from './setup-arguments.ts'
import { appliedText, planJson, planText, takenText, undoText } from './setup-text.ts'
import { ending, painter } from './terminal.ts'

const DONE = 0
const NOT_DONE = 1

/**
 * Resolves with the exit code.
 * @throws OptionError when something must be said that cannot be found out
 */
export async function runSetup(given: SetupArguments): Promise<number> {
  const host = thisHost()
  if (given.part === 'undo') return await runUndo(given, host)
  const plan = await planOf(given, host)
  const applied = await carryOut(plan, given, host)
  const code = applied?.outcome === 'rolled-back' ? NOT_DONE : DONE
  if (given.json) return await ending(planJson(plan, applied), code)
  const last = applied === undefined ? '' : appliedText(applied, painter(process.stdout))
  return await ending(applied?.outcome === 'done' ? `${last}${undoHint(plan)}` : last, code)
}

async function planOf(given: Exclude<SetupArguments, { part: 'undo' }>, host: Host): Promise<Plan> {
  switch (given.part) {
    case 'redis-host':
      return await planRedisHost(host, given.options)
    case 'compose':
      return await planCompose(given.options)
    case 'redis-conf':
      return await planRedisConf(given.options)
    case 'env':
      return await planEnv({ ...given.options, reach: await reachOf(given.options, host) })
  }
}

async function reachOf(options: EnvArguments, host: Host): Promise<Reach> {
  const redis = options.redis ?? ((await hasComposeFile(options)) ? 'compose' : 'host')
  return redis === 'compose' ? await reachCompose(options) : await reachHost(host, options)
}

/** Undefined: nothing was to be changed. */
async function carryOut(plan: Plan, given: SetupMode, host: Host): Promise<Applied | undefined> {
  if (!given.json) await say(planText(plan, painter(process.stdout)))
  if (hasNothingToDo(plan)) return { outcome: 'nothing-to-do' }
  if (!(await isWanted(given))) return undefined
  const progress = (text: string): void => void process.stderr.write(`${text}\n`)
  return await applyPlan(plan, { host, ...(given.json ? {} : { progress }) })
}

/** Asked on a terminal alone; elsewhere a plan is shown and no more. */
async function isWanted({ does, json }: SetupMode): Promise<boolean> {
  if (does === 'apply') return true
  const canAsk = does === 'ask' && !json && process.stdin.isTTY && process.stdout.isTTY
  if (!canAsk) {
    if (!json) await say('\nNothing was changed. --apply does it.\n')
    return false
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // Whoever ends the input, by Ctrl-D, has not said yes.
  const ended = once(terminal, 'close').then(() => '')
  const answer = await Promise.race([terminal.question('\nDo it? [y/N] '), ended])
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

function undoHint({ name, root, journal }: Plan): string {
  const where = name === 'redis-host' ? '' : ` --directory ${dirname(journal)}`
  return `evenkeel setup undo${where}${root === '/' ? '' : ` --root ${root}`} takes it back.\n`
}

const NOTHING_TAKEN = { done: [], left: [], failed: [] }

type UndoArguments = Extract<SetupArguments, { part: 'undo' }>

async function runUndo(given: UndoArguments, host: Host): Promise<number> {
  const { root = '/', directory, force, json } = given
  const journals = directory === undefined ? HOST_JOURNAL : join(placeIn(root, directory), '.evenkeel')
  const undoing = await planUndo(root, journals)
  if (!json) await say(undoText(undoing))
  const wanted = undoing.journal !== undefined && (await isWanted(given))
  const taken = wanted ? await undoLast({ root, directory: journals, host, force }) : NOTHING_TAKEN
  const code = taken.left.length + taken.failed.length === 0 ? DONE : NOT_DONE
  const { journal, files } = undoing
  const summary = {
    plan: journal?.plan ?? null,
    id: journal?.id ?? null,
    files,
    ...taken,
    undone: wanted && code === DONE,
  }
  if (json) return await ending(`${JSON.stringify(summary, null, 2)}\n`, code)
  return await ending(takenText(taken), code)
}

function say(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}
