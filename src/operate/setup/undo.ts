/** Takes an applied plan back: the old files return, new ones go, and the programs that know of them are told. */
import { join } from 'node:path'
import { systemClock, type Clock } from '../../clock.ts'
import type { Host } from '../host.ts'
import { fingerprint, putBack, readState, removeIfEmpty, removeIfThere } from './disk.ts'
import { lastApplied, writeJournal, type Journal, type JournaledFile } from './journal.ts'
import { runStep } from './steps.ts'

export interface TakenBack {
  /** What was done, in order. */
  readonly done: readonly string[]
  /** What was left as it is, and why. */
  readonly left: readonly string[]
}

export interface UndoOptions {
  readonly root: string
  /** Where the plan kept its journal, as the system names it. */
  readonly directory: string
  readonly host: Host
  /** @default the system's */
  readonly clock?: Clock
}

export interface Undoing {
  /** Undefined: nothing was applied here, or everything is undone. */
  readonly journal: Journal | undefined
  /** What an undo would do to each file. */
  readonly files: readonly FilePlan[]
}

/** What becomes of one file. */
export interface FilePlan {
  readonly path: string
  readonly does: 'restore' | 'remove' | 'leave-changed' | 'is-back'
}

/** What `undoLast` would do; changes nothing. `directory` is where the plan kept its journal, as the system names it. */
export async function planUndo(root: string, directory: string): Promise<Undoing> {
  const journal = await lastApplied(join(root, directory))
  if (journal === undefined) return { journal, files: [] }
  const files: FilePlan[] = []
  for (const file of journal.files) files.push({ path: file.path, does: await fate(root, file) })
  return { journal, files }
}

/** Undoes the newest plan. A file that was changed since is left alone, and said. */
export async function undoLast(options: UndoOptions): Promise<TakenBack> {
  const { root, host, clock = systemClock } = options
  const directory = join(root, options.directory)
  const journal = await lastApplied(directory)
  if (journal === undefined) return { done: [], left: [] }
  const taken = await takeBack(journal, root, host)
  const undoneAt = taken.left.length === 0 ? new Date(clock.wallNow()).toISOString() : null
  await writeJournal(directory, { ...journal, undoneAt })
  return taken
}

/** Also for a plan of which only a part was applied. */
export async function takeBack(journal: Journal, root: string, host: Host): Promise<TakenBack> {
  const done: string[] = []
  const left: string[] = []
  for (const file of journal.files.toReversed()) {
    const does = await fate(root, file)
    const path = join(root, file.path)
    const backup = file.backup === null ? undefined : join(root, file.backup)
    if (does === 'restore' && backup !== undefined) await putBack(backup, path)
    if (does === 'remove') await removeIfThere(path)
    if (does === 'is-back' && backup !== undefined) await removeIfThere(backup)
    if (does === 'leave-changed') left.push(changedSince(file))
    else done.push(`${WORDS[does]} ${file.path}`)
  }
  for (const directory of journal.directories.toReversed()) await removeTree(root, directory, journal)
  for (const args of root === '/' ? journal.undo : []) {
    const failure = await runStep(host, args)
    // A service that did not start before setup does not start after its undo: the files are what is restored.
    done.push(failure === undefined ? `ran ${args.join(' ')}` : failure)
  }
  return { done, left }
}

const WORDS = { restore: 'restored', remove: 'removed', 'is-back': 'is as it was:' } as const

async function fate(root: string, { path, backup, before, after }: JournaledFile): Promise<FilePlan['does']> {
  const now = await readState(join(root, path))
  const is = now === undefined ? null : fingerprint(now.text)
  if (backup === null) return is === null ? 'is-back' : is === after ? 'remove' : 'leave-changed'
  if (is === after && (await readState(join(root, backup))) !== undefined) return 'restore'
  return is === before ? 'is-back' : 'leave-changed'
}

function changedSince({ path, backup }: JournaledFile): string {
  const old = backup === null ? 'It did not exist before.' : `The old one is ${backup}.`
  return `${path} was changed after setup wrote it. ${old}`
}

/** From the directory that was made down to where files were written; each only when nothing is in it any more. */
async function removeTree(root: string, top: string, { files }: Journal): Promise<void> {
  const below = files.map(({ path }) => path).filter((path) => path.startsWith(`${top}/`))
  const directories = new Set(below.flatMap((path) => parentsUpTo(path, top)))
  for (const directory of [...directories].toSorted((a, b) => b.length - a.length))
    await removeIfEmpty(join(root, directory))
}

function parentsUpTo(path: string, top: string): string[] {
  const parents: string[] = []
  for (let parent = join(path, '..'); parent.startsWith(top); parent = join(parent, '..')) parents.push(parent)
  return parents
}
