/**
 * The journal on disk, so that a process which dies during an outage is outlived by what it still had to tell.
 *
 *     <directory>/<namespace>.<pid>-<random>.journal      one record per line, as JSON; mode 0600
 *
 * A line is handed to the operating system before `journalled` is said: it survives the process, kill -9 included, and not the
 * machine (no fsync: a machine that dies takes seconds of an outage with it, and `afterRestart` covers what a cache must not
 * believe). What other processes left is read at the start and deleted once it has been told; telling it twice does no harm.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describeError } from '../link/index.ts'
import { channels } from '../telemetry/channels.ts'
import type { JournalFile, JournalRecord } from './journal.ts'

export interface JournalFileOptions {
  readonly directory: string
  readonly namespace: string
}

export class DiskJournal implements JournalFile {
  readonly #options: JournalFileOptions
  readonly #path: string
  /** Of processes that are no more; gone once everything has been told. */
  #inherited: string[] = []
  #file: number | undefined
  #empty = true
  #told = false

  constructor(options: JournalFileOptions) {
    this.#options = options
    const name = `${options.namespace}.${process.pid}-${randomBytes(4).toString('hex')}.journal`
    OWN.add(name)
    this.#path = join(options.directory, name)
  }

  /** What processes that are no more left behind; a record that was cut off by their end is none. */
  inherit(): readonly JournalRecord[] {
    try {
      mkdirSync(this.#options.directory, { recursive: true })
      const files = readdirSync(this.#options.directory).filter((name) => this.#isAbandoned(name))
      this.#inherited = files.map((name) => join(this.#options.directory, name))
      return this.#inherited.flatMap((path) => recordsIn(readFileSync(path, 'utf8')))
    } catch (error) {
      this.#failed(error)
      return [{ kind: 'all' }]
    }
  }

  append(record: JournalRecord): void {
    try {
      this.#file ??= openSync(this.#path, 'a', 0o600)
      writeSync(this.#file, `${JSON.stringify(record)}\n`)
      this.#empty = false
    } catch (error) {
      this.#failed(error)
    }
  }

  clear(): void {
    try {
      for (const path of this.#inherited.splice(0)) rmSync(path, { force: true })
      if (this.#file !== undefined && !this.#empty) ftruncateSync(this.#file)
      this.#empty = true
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What is outstanding stays for the next process. */
  close(): void {
    if (this.#file === undefined) return
    closeSync(this.#file)
    this.#file = undefined
    if (this.#empty) rmSync(this.#path, { force: true })
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
