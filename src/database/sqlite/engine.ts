/**
 * The embedded engine on node:sqlite.
 *
 *     write transactions, single writes ─▶ one after another ─▶ the writing connection    (BEGIN IMMEDIATE)
 *     single reads                      ─▶ at once           ─▶ the reading connection    (refuses to write)
 *     read-only transactions            ─▶ a few at once     ─▶ a reading connection each (a snapshot)
 *
 * node:sqlite runs a statement synchronously: a deadline bounds every wait, and cannot interrupt one statement.
 */
import { join, resolve } from 'node:path'
import { DatabaseError } from '../../errors.ts'
import type { Executed } from '../../errors.ts'
import { classify, faultError, ownFault } from '../classify.ts'
import type { Fault } from '../classify.ts'
import type { Deadline } from '../deadline.ts'
import { sqliteDialect } from '../dialect.ts'
import type { Engine, EngineEvents, QueryResult, Session, Statement } from '../engine.ts'
import type { Settings } from '../options.ts'
import { looksLikeRead } from '../statement.ts'
import { Turns } from '../turns.ts'
import type { EndTurn } from '../turns.ts'
import { SqliteConnection, isLocked, isReadOnly } from './connection.ts'
import { ensureFile, fileIdentity, MESSAGES_FILE, openFile } from './file.ts'
import { SqliteNotifications } from './notifications.ts'
import { SqliteSession } from './session.ts'

type Rows = QueryResult<Record<string, unknown>>

/**
 * A locked file is tried again after a random pause: 1 to 2 ms at first, which is what a write with its fsync takes, and then up to
 * a twentieth of the time that was waited, but never more than `RETRY_MS`. Whoever waits here keeps all others of its process
 * waiting, and who has waited for long must not be passed by all who come.
 */
const RETRY_MS = 20
const RETRY_SHARE = 20

/** Reading connections kept for the next read-only transaction. */
const SPARE_READERS = 2

export class SqliteEngine implements Engine {
  readonly name = 'sqlite'
  readonly dialect = sqliteDialect
  readonly address: string
  readonly notifications: SqliteNotifications
  readonly #settings: Settings
  readonly #events: EngineEvents
  readonly #writing: Turns
  readonly #reading: Turns
  #open: OpenFile | undefined

  constructor(settings: Settings, events: EngineEvents) {
    this.#settings = settings
    this.#events = events
    this.address = resolve(settings.directory)
    this.#writing = this.#turns(1)
    this.#reading = this.#turns(settings.pool.max)
    this.notifications = new SqliteNotifications({
      name: settings.name,
      clock: settings.clock,
      path: join(this.address, MESSAGES_FILE),
      dataVersion: () => this.#dataVersion(),
    })
  }

  async query(statement: Statement, deadline: Deadline): Promise<Rows> {
    if (looksLikeRead(statement.sql)) {
      const rows = await this.#read(statement, deadline)
      if (rows !== undefined) return rows
    }
    const endTurn = await this.#writing.take(deadline)
    try {
      const open = this.#openedToWrite()
      return await this.untilFree(deadline, 'maybe', () => write(open, statement))
    } finally {
      endTurn()
    }
  }

  async lease(readOnly: boolean, deadline: Deadline): Promise<Session> {
    const endTurn = await (readOnly ? this.#reading : this.#writing).take(deadline)
    try {
      if (!readOnly) return new SqliteSession(this, this.#openedToWrite().writer, endTurn)
      const open = this.#opened()
      const reader = open.spares.pop() ?? this.#tried(() => new SqliteConnection(openFile(open.path, 'read')))
      return new SqliteSession(this, reader, this.#givingBack(open, reader, endTurn))
    } catch (error) {
      endTurn()
      throw error
    }
  }

  async probe(): Promise<void> {
    try {
      if (this.#open !== undefined && fileIdentity(this.#open.path) !== this.#open.identity)
        throw faultError(ownFault('file-replaced', { place: this.address }), 'no')
      if (this.#open?.writer.isOpen === false) this.#closeFile()
      this.#open ??= openAll(this.address)
      this.#open.reader.run({ sql: 'SELECT count(*) FROM sqlite_schema', params: [] })
    } catch (error) {
      throw faultError(classify(error, this.address), 'no')
    }
  }

  drain(fault: Fault): void {
    this.#closeFile()
    this.#writing.refuse(() => faultError(fault, 'no'))
    this.#reading.refuse(() => faultError(fault, 'no'))
  }

  /** There is only this file, and what is open on it can write again as soon as anybody can. */
  refresh(): void {}

  async close(): Promise<void> {
    this.notifications.close()
    this.drain(ownFault('lost', { place: this.address, detail: 'closed' }))
  }

  /** Runs `work`, again and again with random, growing pauses while another process holds the file locked. */
  async untilFree<T>(deadline: Deadline, unknown: Executed, work: () => T): Promise<T> {
    const { clock, random } = this.#settings
    const begunAt = clock.now()
    for (let locked = false; ; locked = true) {
      if (deadline.missed) throw this.#missed(locked)
      try {
        const value = work()
        this.#events.answered()
        return value
      } catch (error) {
        if (!isLocked(error)) throw this.#failure(error, unknown)
      }
      const spread = Math.max(1, (clock.now() - begunAt) / RETRY_SHARE)
      await deadline.pause(1 + random() * Math.min(RETRY_MS, spread))
    }
  }

  /** The caller's error, told to the supervisor on the way. */
  #failure(error: unknown, unknown: Executed): DatabaseError {
    if (error instanceof DatabaseError) return error
    const fault = classify(error, this.address)
    this.#events.failed(fault)
    return faultError(fault, unknown)
  }

  #missed(locked: boolean): DatabaseError {
    const detail = locked ? '' : 'the deadline had passed before the statement was run'
    return faultError(ownFault(locked ? 'locked' : 'no-answer', { place: this.address, detail }), 'no')
  }

  /** Undefined when the statement turns out to write. */
  async #read(statement: Statement, deadline: Deadline): Promise<Rows | undefined> {
    const { reader } = this.#opened()
    return this.untilFree(deadline, 'no', () => {
      try {
        return reader.run(statement)
      } catch (error) {
        if (isReadOnly(error)) return undefined
        throw error
      }
    })
  }

  /** Of the writing connection: it changes with the commits of other processes only. */
  #dataVersion(): number | undefined {
    try {
      const rows = this.#open?.writer.run({ sql: 'PRAGMA data_version', params: [] }).rows ?? []
      return Number(rows[0]?.['data_version'])
    } catch {
      // Locked or closed at this moment; the next look may succeed.
      return undefined
    }
  }

  #opened(): OpenFile {
    if (this.#open?.writer.isOpen === true) return this.#open
    throw this.#told(ownFault('lost', { place: this.address, detail: 'the file is not open' }))
  }

  /** A file that was moved away takes writes as before, and nobody would ever read them: busy or not, it is looked at. */
  #openedToWrite(): OpenFile {
    const open = this.#opened()
    if (this.#tried(() => fileIdentity(open.path)) === open.identity) return open
    throw this.#told(ownFault('file-replaced', { place: this.address }))
  }

  #told(fault: Fault): DatabaseError {
    this.#events.failed(fault)
    return faultError(fault, 'no')
  }

  #tried<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#failure(error, 'no')
    }
  }

  #givingBack(open: OpenFile, reader: SqliteConnection, endTurn: EndTurn): EndTurn {
    return () => {
      if (open === this.#open && open.spares.length < SPARE_READERS && !reader.inTransaction) open.spares.push(reader)
      else reader.close()
      endTurn()
    }
  }

  #closeFile(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    for (const connection of [open.reader, ...open.spares, open.writer]) connection.close()
  }

  #turns(atOnce: number): Turns {
    const busy = (code: string, detail: string): DatabaseError =>
      faultError(ownFault(code, { place: this.address, detail }), 'no')
    return new Turns({
      atOnce,
      maxWaiting: this.#settings.pool.maxWaiting,
      tooMany: () => busy('too-many-waiting', ''),
      tooLate: (deadline) => busy('no-connection-free', `other transactions took longer than ${deadline.limitMs} ms`),
    })
  }
}

/** What it depends on is looked at in each try: meanwhile others have written, and a look takes no lock. */
function write({ reader, writer }: OpenFile, statement: Statement): Rows {
  const { onlyIf, mayBeUndone = false } = statement
  if (onlyIf !== undefined && reader.run(onlyIf).rows.length === 0) return { rows: [], rowCount: 0 }
  return mayBeUndone ? writer.runUnsynced(statement) : writer.run(statement)
}

interface OpenFile {
  readonly path: string
  readonly identity: string | undefined
  readonly writer: SqliteConnection
  readonly reader: SqliteConnection
  /** Reading connections between two read-only transactions. */
  readonly spares: SqliteConnection[]
}

function openAll(directory: string): OpenFile {
  const path = ensureFile(directory)
  const writer = new SqliteConnection(openFile(path, 'write'))
  try {
    return {
      path,
      identity: fileIdentity(path),
      writer,
      reader: new SqliteConnection(openFile(path, 'read')),
      spares: [],
    }
  } catch (error) {
    writer.close()
    throw error
  }
}
