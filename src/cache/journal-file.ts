/**
 * The journal on disk, so that a process which dies during an outage is outlived by what it still had to tell.
 *
 *     <directory>/<namespace>.<pid>-<random>.journal      one record per line, as JSON; mode 0600
 *
 * A line is handed to the operating system before `journalled` is said: it survives the process, kill -9 included, and not the
 * machine (no fsync: a machine that dies takes seconds of an outage with it, and `afterRestart` covers what a cache must not
 * believe). What other processes left is taken over at the start and deleted once it has been told; telling it twice does no harm.
 *
 * Who is dead cannot always be known: containers that share the directory see nothing of each other's processes. So a file is
 * taken over by giving it another name, then read; and whoever has written a line looks whether his file still has its name.
 * If not, he writes all that is outstanding into a new one. Whatever is on disk when `journalled` is said is read by somebody
 * before it is deleted, and a living process loses nothing.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describeError } from '../link/index.ts'
import { makeDirectory } from '../make-directory.ts'
import { channels } from '../telemetry/channels.ts'
import type { JournalFile, JournalRecord } from './journal.ts'

export interface JournalFileOptions {
  readonly directory: string
  readonly namespace: string
}

/** A file with so many lines, and twice as many as there is outstanding, is written anew. */
const LONG = 1000

export class DiskJournal implements JournalFile {
  readonly #options: JournalFileOptions
  #path: string
  /** Of processes that are no more; gone once everything has been told. */
  #inherited: string[] = []
  #file: number | undefined
  #lines = 0
  /** Lines at which it is looked at next. */
  #longAt = LONG
  /** Something could not be written. */
  #incomplete = false
  #told = false

  constructor(options: JournalFileOptions) {
    this.#options = options
    this.#path = this.#newPath()
  }

  /** What processes that are no more left behind; a record that was cut off by their end is none. */
  inherit(): readonly JournalRecord[] {
    try {
      makeDirectory(this.#options.directory)
      const files = readdirSync(this.#options.directory).filter((name) => this.#isAbandoned(name))
      this.#inherited = files.flatMap((name) => this.#takeOver(join(this.#options.directory, name)))
      return this.#inherited.flatMap((path) => recordsIn(readFileSync(path, 'utf8')))
    } catch (error) {
      this.#failed(error)
      return [{ kind: 'all' }]
    }
  }

  append(record: JournalRecord, outstanding: () => readonly JournalRecord[]): void {
    try {
      if (this.#incomplete || this.#lines >= this.#longAt) this.#writeAnew(outstanding())
      else this.#write([record])
      while (!this.#isOurs()) this.#writeAnew(outstanding())
    } catch (error) {
      this.#failed(error)
    }
  }

  clear(): void {
    try {
      for (const path of this.#inherited.splice(0)) rmSync(path, { force: true })
      if (this.#file !== undefined && this.#lines > 0) ftruncateSync(this.#file)
      this.#lines = 0
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What is outstanding stays for the next process. */
  close(): void {
    if (this.#file === undefined) return
    closeSync(this.#file)
    this.#file = undefined
    if (this.#lines === 0) rmSync(this.#path, { force: true })
  }

  #write(records: readonly JournalRecord[]): void {
    this.#incomplete = true
    this.#file ??= openSync(this.#path, 'a', 0o600)
    // Behind a line feed of its own, so that a line which a full disk has cut off spoils no other.
    const text = `\n${records.map((record) => `${JSON.stringify(record)}\n`).join('')}`
    if (writeSync(this.#file, text) < Buffer.byteLength(text)) throw new Error('The disk took a part of it only')
    this.#incomplete = false
    this.#lines += records.length
  }

  /** The old file goes when the new one holds everything. */
  #writeAnew(outstanding: readonly JournalRecord[]): void {
    const before = { path: this.#path, file: this.#file, isOurs: this.#isOurs() }
    this.#path = this.#newPath()
    this.#file = undefined
    this.#lines = 0
    this.#write(outstanding)
    this.#longAt = Math.max(LONG, 2 * this.#lines)
    if (before.file !== undefined) closeSync(before.file)
    OWN.delete(basename(before.path))
    if (before.isOurs) rmSync(before.path, { force: true })
  }

  /** Has nobody taken it over? */
  #isOurs(): boolean {
    if (this.#file === undefined) return false
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#file).ino
  }

  /** Nothing when somebody else was faster. */
  #takeOver(path: string): readonly string[] {
    const own = this.#newPath()
    try {
      renameSync(path, own)
      return [own]
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  }

  #newPath(): string {
    const name = `${this.#options.namespace}.${process.pid}-${randomBytes(4).toString('hex')}.journal`
    OWN.add(name)
    return join(this.#options.directory, name)
  }

  #isAbandoned(name: string): boolean {
    const { namespace } = this.#options
    if (!name.startsWith(`${namespace}.`)) return false
    const pid = /^(\d+)-[0-9a-f]{8}\.journal$/.exec(name.slice(namespace.length + 1))?.[1]
    // In a container every life has the same pid: a file of our own pid that is not ours is from an earlier one.
    return pid !== undefined && (Number(pid) === process.pid ? !OWN.has(name) : !isAlive(Number(pid)))
  }

  /** The journal in memory goes on without. */
  #failed(error: unknown): void {
    if (this.#told) return
    this.#told = true
    const source = `cache ${this.#options.namespace}`
    const message = `The journal cannot be kept in ${this.#options.directory}, only in memory: ${describeError(error)}`
    channels.notice.publish({ source, level: 'warn', message })
  }
}

/** Files of caches of this process. */
const OWN = new Set<string>()

function recordsIn(text: string): readonly JournalRecord[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as JournalRecord]
    } catch {
      // The process ended in the middle of it, before it had said `journalled`.
      return []
    }
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
