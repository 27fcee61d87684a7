/**
 * What was changed, and how to take it back: one JSON file per plan that was applied, written before the first change, so
 * that a process that is killed half-way can be undone too. It holds no content, and so no secret.
 */
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EvenkeelError } from '../../errors.ts'
import { readState, unlessMissing, writeAtomically } from './disk.ts'

export interface JournaledFile {
  /** As the system names it: an image may be undone where it has booted. */
  readonly path: string
  /** The old file; null where there was none. */
  readonly backup: string | null
  /** SHA-256 of what was written and of what was there, to tell a later change by somebody else. */
  readonly after: string
  readonly before: string | null
}

export interface Journal {
  readonly version: 1
  /** Sortable: the time of applying, in UTC. */
  readonly id: string
  readonly plan: string
  readonly files: readonly JournaledFile[]
  /** Directories that were made, the deepest last. */
  readonly directories: readonly string[]
  /** Programs that take the steps back, in the order in which they are to run. */
  readonly undo: readonly (readonly string[])[]
  /** Paths of files with the only copy of a password that setup made: an undo leaves them. @default none */
  readonly keeps?: readonly string[]
  readonly undoneAt: string | null
}

/** `20261120T130501042Z`: sortable, and fit for names of files. */
function stampOf(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:.]/g, '')
}

export async function writeJournal(directory: string, journal: Journal): Promise<void> {
  const path = join(directory, `${journal.id}.json`)
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  await writeAtomically({ path, text: `${JSON.stringify(journal, null, 2)}\n`, mode: 0o600, uid, gid })
}

/** The newest plan that was applied and not undone; undefined when there is none. */
export async function lastApplied(directory: string): Promise<Journal | undefined> {
  const names = (await unlessMissing(readdir(directory))) ?? []
  const ids = names.filter((name) => /^\d{8}T\d{9}Z\.json$/.test(name)).toSorted()
  for (const name of ids.toReversed()) {
    const journal = await readJournal(join(directory, name))
    if (journal.undoneAt === null) return journal
  }
  return undefined
}

/** An id that no journal in the directory has: the time, or the first free millisecond after it. */
export async function freeId(directory: string, wallMs: number): Promise<string> {
  const names = (await unlessMissing(readdir(directory))) ?? []
  let id = stampOf(wallMs)
  for (let later = 1; names.includes(`${id}.json`); later++) id = stampOf(wallMs + later)
  return id
}

async function readJournal(path: string): Promise<Journal> {
  const text = (await readState(path))?.text ?? ''
  try {
    const journal = JSON.parse(text) as Journal
    if (journal.version === 1) return journal
  } catch (error) {
    throw unreadable(path, error)
  }
  throw unreadable(path)
}

function unreadable(path: string, cause?: unknown): EvenkeelError {
  const nextStep = `The old files are beside the new ones, as *.evenkeel-*. Look into ${dirname(path)}.`
  return new EvenkeelError('SETUP_JOURNAL', `${path} is no journal of this version of setup.`, { cause, nextStep })
}
