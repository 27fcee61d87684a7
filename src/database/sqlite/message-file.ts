/**
 * Carries messages between the processes that share a database file: a small file beside it, to which each appends a line
 * and which all of them watch.
 *
 *     append ─▶ evenkeel.db-messages ─▶ the system tells whoever watches it ─▶ lines that are new ─▶ onMessage
 *
 * Nothing in it must last: there is no fsync, and it is emptied when it has grown. It is made by whoever listens; while there
 * is none, nobody does.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, truncateSync, watch, writeSync } from 'node:fs'
import type { FSWatcher } from 'node:fs'

/** So many messages as a process may miss while it is paused for some seconds; then the file begins anew. */
const EMPTIED_AT_BYTES = 262_144

const LINE_END = 0x0a

export interface MessageFileOptions {
  readonly path: string
  /** A message of another process, or of another database object of this one. */
  readonly onMessage: (channel: string, payload: string) => void
  /** Messages may have been missed. */
  readonly onMissed: () => void
  /** The system does not tell of changes: what is new is found by `look()`, or, without a file, in the tables. */
  readonly onUnwatched: (why: string) => void
}

export class MessageFile {
  readonly #options: MessageFileOptions
  /** Marks our own lines. */
  readonly #sender = randomUUID()
  #file: number | undefined
  #watcher: FSWatcher | undefined
  #isListening = false
  #isTold = false
  /** Up to here it is read. */
  #offset = 0

  constructor(options: MessageFileOptions) {
    this.#options = options
  }

  /** Hears what is appended from now on. */
  listen(): void {
    if (this.#isListening) return
    this.close()
    this.#isListening = true
    try {
      this.#file = openSync(this.#options.path, 'a+', 0o600)
      this.#offset = fstatSync(this.#file).size
      this.#watch()
      this.#isTold = false
    } catch (error) {
      this.#troubled(error)
    }
  }

  append(channel: string, payload: string): void {
    try {
      const file = this.#toAppend()
      if (file === undefined) return
      if (fstatSync(file).size > EMPTIED_AT_BYTES) truncateSync(this.#options.path)
      writeSync(file, `${JSON.stringify([this.#sender, channel, payload])}\n`)
    } catch {
      // Such as a full disk, of which the database itself tells: the others see what was committed all the same, a little later.
      if (!this.#isListening) this.#closeFile()
    }
  }

  /** Reads what is new; a file that could not be opened or read is tried again. */
  look(): void {
    try {
      if (this.#file !== undefined) this.#lookInto(this.#file)
      else if (this.#isListening) this.#beginAgain()
    } catch (error) {
      this.#closeFile()
      this.#troubled(error)
    }
  }

  close(): void {
    this.#isListening = false
    this.#watcher?.close()
    this.#watcher = undefined
    this.#closeFile()
  }

  #lookInto(file: number): void {
    const { size, nlink } = fstatSync(file)
    if (nlink === 0) return this.#beginAgain()
    if (size < this.#offset) {
      this.#offset = 0
      this.#options.onMissed()
    }
    if (size > this.#offset) this.#read(file, size)
  }

  #closeFile(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) closeSync(file)
  }

  /** Undefined: nobody listens. */
  #toAppend(): number | undefined {
    const isDeleted = this.#file !== undefined && fstatSync(this.#file).nlink === 0
    if (isDeleted && this.#isListening) this.#beginAgain()
    else if (isDeleted) this.#closeFile()
    if (!this.#isListening) this.#file ??= openThere(this.#options.path)
    return this.#file
  }

  /** It was deleted, and others write into a new one; or there was none until now. */
  #beginAgain(): void {
    this.close()
    this.listen()
    if (this.#file !== undefined) this.#options.onMissed()
  }

  #watch(): void {
    this.#watcher = watch(this.#options.path, { persistent: false }, () => this.look())
    this.#watcher.on('error', (error) => {
      this.#watcher?.close()
      this.#troubled(error)
    })
  }

  /** Once, however often it is tried again. */
  #troubled(error: unknown): void {
    if (!this.#isTold) this.#options.onUnwatched(String(error))
    this.#isTold = true
  }

  #read(file: number, size: number): void {
    const bytes = Buffer.alloc(size - this.#offset)
    const length = readSync(file, bytes, 0, bytes.length, this.#offset)
    // A line may be on its way: the rest of it comes with the next look.
    const end = bytes.subarray(0, length).lastIndexOf(LINE_END) + 1
    this.#offset += end
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    for (const line of lines) this.#hear(line)
  }

  #hear(line: string): void {
    const message = messageIn(line)
    if (message === undefined) this.#options.onMissed()
    else if (message[0] !== this.#sender) this.#options.onMessage(message[1], message[2])
  }
}

/** Undefined when there is no such file. */
function openThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_APPEND)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined for the rest of a line whose beginning was emptied away. */
function messageIn(line: string): readonly [sender: string, channel: string, payload: string] | undefined {
  try {
    const parts: unknown = JSON.parse(line)
    if (!Array.isArray(parts)) return undefined
    const [sender, channel, payload] = parts.map(String)
    return sender === undefined || channel === undefined || payload === undefined
      ? undefined
      : [sender, channel, payload]
  } catch {
    return undefined
  }
}
