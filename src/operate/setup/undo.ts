/**
 * Takes an applied plan back, whole or not at all: the old files return, new ones go, and the programs that know of them
 * are told. A plan that is taken back by half may leave a service that does not start, such as a redis.conf with an
 * `include` of a file that is gone; so one file that somebody changed since keeps all of them where they are, unless it
 * is said that the change may be set aside.
 */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../clock.ts'
import type { Host } from '../host.ts'
import { fingerprint, putBack, readState, removeIfEmpty, removeIfThere } from './disk.ts'
import { lastApplied, writeJournal, type Journal, type JournaledFile } from './journal.ts'
import { runStep } from './steps.ts'

export interface TakenBack {
  /** What was done, in order. */
  readonly done: readonly string[]
  /** Files that stand in the way, each with the reason; when there is one, nothing was done. */
  readonly left: readonly string[]
  /** Programs that did not do their part, with what they said. The files are back all the same. */
  readonly failed: readonly string[]
}

export interface UndoOptions {
  readonly root: string
  /** Where the plan kept its journal, as the system names it. */
  readonly directory: string
  readonly host: Host
  /** Set aside what was changed since, beside its place as `*.evenkeel-changed-<id>`, and put the old file back. @default false */
  readonly force?: boolean
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
  readonly does: Fate
}

/**
 * `keep`: it holds the only copy of a password; data and clients outlive the plan that made it.
 * `changed`: somebody changed it since. `backup-gone`: nothing is there that could be put back.
 */
export type Fate = 'restore' | 'remove' | 'keep' | 'is-back' | 'changed' | 'backup-gone'

/** What `undoLast` would do; changes nothing. `directory` is where the plan kept its journal, as the system names it. */
export async function planUndo(root: string, directory: string): Promise<Undoing> {
  const journal = await lastApplied(join(root, directory))
  return { journal, files: journal === undefined ? [] : await fatesOf(journal, root, journal.keeps ?? []) }
}

/** Undoes the newest plan, or says what stands in the way and changes nothing. */
export async function undoLast(options: UndoOptions): Promise<TakenBack> {
  const { root, host, force = false, clock = systemClock } = options
  const directory = join(root, options.directory)
  const journal = await lastApplied(directory)
  if (journal === undefined) return { done: [], left: [], failed: [] }
  const taken = await takeBack(journal, { root, host, force, keeps: journal.keeps ?? [] })
  const undoneAt = taken.left.length === 0 ? new Date(clock.wallNow()).toISOString() : null
  await writeJournal(directory, { ...journal, undoneAt })
  return taken
}

export interface TakeBackOptions extends Pick<UndoOptions, 'root' | 'host'> {
  readonly force: boolean
  /** Paths of files that stay. */
  readonly keeps: readonly string[]
}

/** Also for a plan of which only a part was applied. */
export async function takeBack(journal: Journal, { root, host, force, keeps }: TakeBackOptions): Promise<TakenBack> {
  const fates = await fatesOf(journal, root, keeps)
  const left = journal.files.flatMap((file, index) => obstacle(file, fates[index]?.does, force))
  if (left.length > 0) return { done: [], left, failed: [] }
  const done: string[] = []
  for (const [index, file] of [...journal.files.entries()].toReversed())
    done.push(await takeBackFile(file, fates[index]?.does ?? 'is-back', { root, id: journal.id }))
  for (const directory of journal.directories.toReversed()) await removeTree(root, directory, journal)
  const failed: string[] = []
  for (const args of root === '/' ? journal.undo : []) {
    const failure = await runStep(host, args)
    if (failure === undefined) done.push(`ran ${args.join(' ')}`)
    else failed.push(failure)
  }
  return { done, left: [], failed }
}

async function fatesOf(journal: Journal, root: string, keeps: readonly string[]): Promise<FilePlan[]> {
  const plans: FilePlan[] = []
  for (const file of journal.files) {
    const does = await fate(root, file)
    plans.push({ path: file.path, does: keeps.includes(file.path) && does !== 'is-back' ? 'keep' : does })
  }
  return plans
}

async function fate(root: string, { path, backup, before, after }: JournaledFile): Promise<Fate> {
  const now = await readState(join(root, path))
  const is = now === undefined ? null : fingerprint(now.text)
  if (backup === null) return is === null ? 'is-back' : is === after ? 'remove' : 'changed'
  if ((await readState(join(root, backup))) === undefined) return is === before ? 'is-back' : 'backup-gone'
  if (is === after) return 'restore'
  return is === before ? 'is-back' : 'changed'
}

/** Why this file keeps the plan from being taken back, and what to do; nothing when it does not. */
function obstacle({ path, backup, before }: JournaledFile, does: Fate | undefined, force: boolean): readonly string[] {
  if (does === 'backup-gone')
    return [
      `${path}: its old version, ${backup}, is gone. Write the file as it was (SHA-256 ${before}), and run undo again.`,
    ]
  if (does !== 'changed' || force) return []
  const old = backup === null ? 'it did not exist before' : `the old one is ${backup}`
  return [`${path} was changed after setup wrote it; ${old}. Put it back by hand, or let --force set the change aside.`]
}

interface Place {
  readonly root: string
  readonly id: string
}

/** @returns what was done */
async function takeBackFile(file: JournaledFile, does: Fate, { root, id }: Place): Promise<string> {
  const path = join(root, file.path)
  const backup = file.backup === null ? undefined : join(root, file.backup)
  const aside = `${file.path}.evenkeel-changed-${id}`
  if (does === 'changed') await rename(path, join(root, aside)).catch(unlessGone)
  if ((does === 'restore' || does === 'changed') && backup !== undefined) await putBack(backup, path)
  if (does === 'remove') await removeIfThere(path)
  if (does === 'is-back' && backup !== undefined) await removeIfThere(backup)
  if (does !== 'changed') return `${WORDS[does]} ${file.path}`
  return `${backup === undefined ? 'took away' : 'restored'} ${file.path}; what it had become is ${aside}`
}

const WORDS = {
  restore: 'restored',
  remove: 'removed',
  keep: 'kept, because it holds a password that data or clients may still need:',
  'is-back': 'is as it was:',
  'backup-gone': 'left',
} as const

/** Somebody's change may have been to delete it. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
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
