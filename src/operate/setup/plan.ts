/**
 * What setup would do, as data: files to write, programs to run, and how to see that it worked. A plan with no file to
 * change and nothing to run is what a second run finds.
 *
 *     facts ─▶ plan ─▶ show (diff) ─▶ apply: journal ─▶ files ─▶ steps ─▶ proofs ─┬▶ done
 *                                                                                 └▶ roll back, and say why
 */
import type { Target } from '../targets.ts'

/** One line of a file, and why it is there. A line of '' stands for a remark or a gap. */
export interface Reasoned {
  readonly line: string
  readonly why: string
}

/** A file as it is on the disk. */
export interface FileState {
  readonly text: string
  /** Permission bits, such as 0o640. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface FileChange {
  /** As the system that is set up names it; on the disk it stands below the plan's `root`. */
  readonly path: string
  /** Undefined: there is no such file. */
  readonly before: FileState | undefined
  readonly after: string
  /** Permission bits that the file gets. */
  readonly mode: number
  /** @default that of the file before, else of whoever runs setup */
  readonly owner?: Pick<FileState, 'uid' | 'gid'> | undefined
  /** It holds a password: its content is shown nowhere. */
  readonly secret: boolean
  /**
   * It holds the only copy of a password that setup made. Data and clients that have it outlive the plan, so an undo
   * leaves it, and a later plan takes it up again. @default false
   */
  readonly keep?: boolean
  readonly reasons: readonly Reasoned[]
}

/** A program to run once the files are there. */
export interface Step {
  /** Program and arguments; no shell in between. */
  readonly args: readonly string[]
  readonly why: string
  /** What takes it back, once the files are as they were. @default nothing */
  readonly undo?: readonly string[]
  /** It may fail without harm. @default false */
  readonly optional?: boolean
}

export type Proof =
  /** A check of the target finds everything served. */
  | { readonly kind: 'serves'; readonly target: Target }
  /** A socket listens on this address, although no interface may have it yet. */
  | { readonly kind: 'listens'; readonly address: string; readonly port: number }

export interface Plan {
  /** The command, such as `redis-host`. */
  readonly name: string
  /** What was chosen, and why, in a few sentences. */
  readonly choice: string
  /** Where the paths of `files` begin: `/`, or the root of an image. */
  readonly root: string
  /** Where setup keeps what it needs to undo the plan; begins at `root` too. */
  readonly journal: string
  readonly files: readonly FileChange[]
  /** Not run where `root` is not `/`; what takes them back is kept for when it has booted. */
  readonly steps: readonly Step[]
  readonly proofs: readonly Proof[]
  /** Why it may be shown and not applied, and what comes first. @default nothing is in its way */
  readonly obstacle?: Obstacle | undefined
  /** What the reader has to know or do besides; a line that begins with blanks is one to be copied. */
  readonly notes: readonly string[]
}

export interface Obstacle {
  readonly what: string
  readonly nextStep: string
}

/** Only what changes; steps run for the sake of changes. */
export function pending({ files }: Pick<Plan, 'files'>): readonly FileChange[] {
  return files.filter(({ before, after, mode }) => before?.text !== after || before.mode !== mode)
}

export function hasNothingToDo(plan: Pick<Plan, 'files'>): boolean {
  return pending(plan).length === 0
}

/** The text of a file in which every line has its reason above it. */
export function commented(lines: readonly Reasoned[]): string {
  return lines.map(({ line, why }) => [...remark(why), ...(line === '' ? [] : [line])].join('\n')).join('\n')
}

const WIDTH = 110

function remark(text: string): string[] {
  return wrapped(text, WIDTH).map((line) => `# ${line}`)
}

/** Lines of at most `width` characters, broken between words. A line that begins with blanks is one to be copied: it stays whole. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith(' ') ? [line] : wrappedLine(line, width)))
}

function wrappedLine(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ').filter((word) => word !== '')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length === 0 || longer.length > width) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}
