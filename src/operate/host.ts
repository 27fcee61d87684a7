/**
 * The machine that the command runs on: its files and programs, behind one interface, so that a test can make one up.
 * Nothing here throws: a file that is not there and one that may not be read are two different answers.
 */
import { execFile } from 'node:child_process'
import { open, readdir, stat } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import { describeError } from '../link/index.ts'
import { failed, known, notAvailable, notPermitted, type Evidence, type Missing } from './evidence.ts'

export interface Host {
  /** Such as `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readFile(path: string, options?: ReadOptions): Promise<Evidence<string>>
  /** Names in a directory, in no order. */
  list(path: string): Promise<Evidence<readonly string[]>>
  stat(path: string): Promise<Evidence<FileFacts>>
  /** No shell in between: every argument arrives as it is. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Evidence<ProgramResult>>
}

export interface ReadOptions {
  /** Longer files are cut: at the end, or with `fromEnd` at the beginning. @default 1048576 */
  readonly maxBytes?: number
  /** Of a file that is too long keep the end, as one wants of a log. @default false */
  readonly fromEnd?: boolean
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other'
  readonly bytes: number
  /** Permission bits, such as 0o640. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Wall-clock milliseconds since 1970. */
  readonly modifiedAt: number
}

export interface RunOptions {
  /** The program is killed after it. @default 3000 */
  readonly timeoutMs?: number
  /** Beside the environment of this process, and instead of the same names in it. */
  readonly env?: Readonly<Record<string, string>>
  /** More output than this is cut off, and so is the program. @default 1048576 */
  readonly maxBytes?: number
}

/** A program that ran to its end, well or not. */
export interface ProgramResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const MAX_BYTES = 1_048_576
const TIMEOUT_MS = 3000

/** The real one. Programs speak English and C locale, so that their words can be read. */
export function thisHost(): Host {
  return { environment: process.env, readFile, list, stat: factsOf, run }
}

async function readFile(
  path: string,
  { maxBytes = MAX_BYTES, fromEnd = false }: ReadOptions = {},
): Promise<Evidence<string>> {
  return await attempted(path, async () => {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const start = fromEnd && size > maxBytes ? size - maxBytes : 0
      return await textOf(file.createReadStream({ start, end: start + maxBytes - 1, autoClose: false }))
    } finally {
      await file.close()
    }
  })
}

async function list(path: string): Promise<Evidence<readonly string[]>> {
  return await attempted(path, () => readdir(path))
}

async function factsOf(path: string): Promise<Evidence<FileFacts>> {
  return await attempted(path, async () => {
    const facts = await stat(path)
    const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other'
    const { size: bytes, mode, uid, gid, mtimeMs: modifiedAt } = facts
    return { kind, bytes, mode: mode & 0o7777, uid, gid, modifiedAt }
  })
}

function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Evidence<ProgramResult>> {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES, env = {} } = options
  const settings = {
    timeout: timeoutMs,
    maxBuffer: maxBytes,
    env: { ...process.env, LC_ALL: 'C', ...env },
    killSignal: 'SIGKILL',
  } as const
  return new Promise((resolve) => {
    const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') return resolve(known({ code, stdout, stderr }))
      resolve(
        error?.killed === true ? failed(`${program} gave no answer within ${timeoutMs} ms`) : reasonOf(error, program),
      )
    })
    child.stdin?.end()
  })
}

async function attempted<Value>(what: string, step: () => Promise<Value>): Promise<Evidence<Value>> {
  try {
    return known(await step())
  } catch (error) {
    return reasonOf(error, what)
  }
}

function reasonOf(error: unknown, what: string): Missing {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return notAvailable(`${what} is not there`)
  if (code === 'EACCES' || code === 'EPERM') return notPermitted(`${what} may not be read by this user`)
  return failed(describeError(error))
}
