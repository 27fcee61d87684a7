/**
 * Applies a plan: journal, files, programs, proof. When anything of it fails, everything is put back and it is said why:
 * a half-applied plan is the one state that nobody asked for.
 */
import { join, relative } from 'node:path'
import { systemClock, type Clock } from '../../clock.ts'
import { EvenkeelError } from '../../errors.ts'
import { describeError } from '../../link/index.ts'
import type { Host } from '../host.ts'
import { asReadable, fingerprint, keepBeside, readState, withoutLinks, writeAtomically } from './disk.ts'
import { freeId, writeJournal, type Journal, type JournaledFile } from './journal.ts'
import { hasNothingToDo, pending, type FileChange, type Plan } from './plan.ts'
import { prove, type Proven } from './prove.ts'
import { runStep } from './steps.ts'
import { takeBack } from './undo.ts'

export interface ApplyOptions {
  readonly host: Host
  /** How long the proofs may take to come true, starts and restarts included. @default 30000 */
  readonly proveWithinMs?: number
  /** Told what is being done. @default nobody */
  readonly progress?: (text: string) => void
  /** @default the system's */
  readonly clock?: Clock
}

export type Applied =
  | { readonly outcome: 'nothing-to-do' }
  | { readonly outcome: 'done'; readonly journal: Journal; readonly proven: readonly Proven[] }
  | {
      readonly outcome: 'rolled-back'
      /** What went wrong. */
      readonly failure: string
      readonly proven: readonly Proven[]
      /** Files that could not be put back; empty when all were. */
      readonly left: readonly string[]
      /** Programs that failed once the files were back, such as the start of a service that did not start before. */
      readonly failed: readonly string[]
    }

const PROVE_WITHIN_MS = 30_000

/** @throws EvenkeelError when nothing was changed because it could not be begun */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<Applied> {
  const { clock = systemClock, progress = () => undefined } = options
  if (hasNothingToDo(plan)) return { outcome: 'nothing-to-do' }
  const { obstacle } = plan
  if (obstacle !== undefined) throw new EvenkeelError('SETUP_REFUSED', obstacle.what, { nextStep: obstacle.nextStep })
  const directory = join(plan.root, plan.journal)
  const journal = await begin(plan, await freeId(directory, clock.wallNow()))
  await writeJournal(directory, journal).catch(asReadable)
  const attempt = new Attempt(plan, { ...options, clock, progress }, journal)
  try {
    await attempt.write(directory)
    await attempt.run()
    const proven = await attempt.prove()
    const failed = proven.find(({ ok }) => !ok)
    if (failed === undefined) return { outcome: 'done', journal: attempt.journal, proven }
    return await attempt.rollBack(`Not proven: ${failed.what}: ${failed.detail}`, proven)
  } catch (error) {
    return await attempt.rollBack(describeError(error), [])
  }
}

/** The journal of what is to come; throws when a file is not as the plan found it. */
async function begin(plan: Plan, id: string): Promise<Journal> {
  const files: JournaledFile[] = []
  const keeps: string[] = []
  for (const change of pending(plan)) {
    const path = await withoutLinks(plan.root, change.path)
    const now = await readState(join(plan.root, path))
    if (now?.text !== change.before?.text)
      throw new EvenkeelError('SETUP_CHANGED', `${change.path} has changed since it was planned.`, {
        nextStep: 'Run the same command again.',
      })
    const before = now === undefined ? null : fingerprint(now.text)
    const backup = now === undefined ? null : `${path}.evenkeel-${id}`
    files.push({ path, backup, before, after: fingerprint(change.after) })
    if (change.keep === true) keeps.push(path)
  }
  const undo = plan.steps.flatMap(({ undo }) => (undo === undefined ? [] : [undo]))
  return { version: 1, id, plan: plan.name, files, directories: [], undo, keeps, undoneAt: null }
}

class Attempt {
  journal: Journal
  readonly #plan: Plan
  readonly #options: Required<Pick<ApplyOptions, 'host' | 'progress' | 'clock'>> & ApplyOptions
  readonly #directory: string

  constructor(
    plan: Plan,
    options: Required<Pick<ApplyOptions, 'host' | 'progress' | 'clock'>> & ApplyOptions,
    journal: Journal,
  ) {
    this.#plan = plan
    this.#options = options
    this.#directory = join(plan.root, plan.journal)
    this.journal = journal
  }

  async write(directory: string): Promise<void> {
    const { root } = this.#plan
    const made: string[] = []
    for (const [index, change] of pending(this.#plan).entries()) {
      const { path = '', backup = null } = this.journal.files[index] ?? {}
      const place = join(root, path)
      if (backup !== null) await keepBeside(place, join(root, backup))
      const top = await writeAtomically({ path: place, text: change.after, mode: change.mode, ...ownerOf(change) })
      if (top !== undefined) made.push(join('/', relative(root, top)))
      this.#options.progress(`wrote ${change.path}${backup === null ? '' : `, the old one is ${backup}`}`)
    }
    this.journal = { ...this.journal, directories: made }
    if (made.length > 0) await writeJournal(directory, this.journal)
  }

  async run(): Promise<void> {
    // In an image nothing runs.
    const steps = this.#plan.root === '/' ? this.#plan.steps : []
    for (const step of steps) {
      this.#options.progress(step.args.join(' '))
      const failure = await runStep(this.#options.host, step.args)
      if (failure !== undefined && step.optional !== true) throw new Error(failure)
    }
  }

  async prove(): Promise<readonly Proven[]> {
    const { host, clock, proveWithinMs = PROVE_WITHIN_MS } = this.#options
    return await prove(this.#plan.proofs, { host, clock, withinMs: proveWithinMs })
  }

  async rollBack(failure: string, proven: readonly Proven[]): Promise<Applied> {
    this.#options.progress('putting everything back')
    // A password that was made a moment ago is nobody's yet.
    const options = { root: this.#plan.root, host: this.#options.host, force: true, keeps: [] }
    const { left, failed } = await takeBack(this.journal, options)
    const undoneAt = left.length === 0 ? new Date(this.#options.clock.wallNow()).toISOString() : null
    await writeJournal(this.#directory, { ...this.journal, undoneAt })
    return { outcome: 'rolled-back', failure, proven, left, failed }
  }
}

function ownerOf({ owner, before }: FileChange): { uid: number; gid: number } {
  const { uid, gid } = owner ?? before ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return { uid, gid }
}
