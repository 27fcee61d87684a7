/**
 * Writing configuration files so that nobody ever reads half of one: the new file is written beside the old one, made
 * durable, and takes its place in one step. The old file itself, with its owner, mode and time, stays as the backup.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readFile, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { EvenkeelError } from '../../errors.ts'
import type { FileState } from './plan.ts'

/** A path of the system that is set up, on this disk. */
export async function onDisk(root: string, path: string): Promise<string> {
  return join(root, await withoutLinks(root, path))
}

/** A symbolic link is followed: what it leads to is what is changed. In an image an absolute one would lead out of it. */
export async function withoutLinks(root: string, path: string): Promise<string> {
  return root === '/' ? ((await unlessMissing(realpath(path))) ?? path) : path
}

/** A name that a user wrote: from the working directory, or from the root of an image. */
export function placeIn(root: string, name: string): string {
  return root === '/' ? resolve(name) : resolve('/', name)
}

/** Undefined: there is no such file. Anything else that keeps it from being read is an error. */
export async function readState(path: string): Promise<FileState | undefined> {
  const facts = await unlessMissing(stat(path))
  if (facts === undefined) return undefined
  const text = await readFile(path, 'utf8')
  return { text, mode: facts.mode & 0o7777, uid: facts.uid, gid: facts.gid }
}

export interface NewFile extends FileState {
  readonly path: string
}

/** Puts a file in its place in one step. @returns the highest directory that had to be made */
export async function writeAtomically({ path, text, mode, uid, gid }: NewFile): Promise<string | undefined> {
  const made = await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.evenkeel-new`
  await removeIfThere(fresh)
  const file = await open(fresh, 'wx', mode)
  try {
    await file.writeFile(text)
    // The umask may have taken bits away.
    await file.chmod(mode)
    const facts = await file.stat()
    if (facts.uid !== uid || facts.gid !== gid) await file.chown(uid, gid)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  await syncDirectory(dirname(path))
  return made
}

/** Keeps the very file under a second name, so that putting it back is one step too. */
export async function keepBeside(path: string, backup: string): Promise<void> {
  try {
    await link(path, backup)
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw error
    // A file system without hard links.
    const { mode, uid, gid } = await stat(path)
    await copyFile(path, backup, constants.COPYFILE_EXCL)
    const copy = await open(backup, 'r+')
    await copy.chmod(mode & 0o7777)
    await copy.chown(uid, gid)
    await copy.close()
  }
}

export async function putBack(backup: string, path: string): Promise<void> {
  await rename(backup, path)
  await syncDirectory(dirname(path))
}

export async function removeIfThere(path: string): Promise<void> {
  await unlessMissing(unlink(path))
}

/** Takes a directory away when nothing is in it any more. */
export async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!isCode(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST')) throw error
  }
}

export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export async function unlessMissing<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    asReadable(error)
  }
}

/** Throws on; a directory that is not ours ends in a sentence and not in a stack. */
export function asReadable(error: unknown): never {
  if (!isCode(error, 'EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOSPC')) throw error
  const nextStep = 'Run setup as a user who may write there, such as with sudo.'
  throw new EvenkeelError('SETUP_FILE', (error as Error).message, { cause: error, nextStep })
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
