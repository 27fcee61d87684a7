/**
 * Sessions that outlive an outage of Redis: login, logout and everything between go on, nobody waits, and whoever was logged
 * out stays logged out.
 *
 *                      Redis serves                         Redis is away
 *     get              Redis; a miss asks the database      database, else the memory of this process
 *     set, touch       Redis, database behind it            database (owed to Redis), else memory (owed to Redis)
 *     destroy          Redis and database                   likewise
 *
 * On its return Redis is told what it is owed before it is asked again. Of two records the newer counts, and a logout counts
 * before both.
 */
import { systemClock, type Clock, type TimerHandle } from '../clock.ts'
import { DatabaseError, LinkError } from '../errors.ts'
import { Suspicion, type RedisLink } from '../link/index.ts'
import { Copier } from './copier.ts'
import { DatabaseStore } from './database-store.ts'
import { MemoryStore } from './memory-store.ts'
import { sessionSettings, type CheckedSettings, type SessionsOptions } from './options.ts'
import { Owing } from './owing.ts'
import { newest, textOf, type SessionRecord } from './record.ts'
import { RedisStore } from './redis-store.ts'
import { NO_SEALS, SealedCopies, type SealedCopy, type SealStats } from './sealed-copies.ts'

/** Where a change is now: in Redis, in the database, or only in this process. The last two are told to Redis on its return. */
export type Kept = 'redis' | 'database' | 'memory'

export interface SaveOptions {
  /** How long it lives from now on, in milliseconds. @default `ttlMs` of the sessions */
  readonly ttlMs?: number
}

export interface GetOptions {
  /** The sealed copy that the visitor shows: opened when neither Redis nor a database can be asked. @default none */
  readonly sealed?: string | undefined
}

export interface CopyOptions extends SaveOptions {
  /** The copy that the visitor has; as long as it is as good no other is made. @default none */
  readonly shown?: string | undefined
}

export interface SessionStats extends SealStats {
  /** Where sessions are looked for now. */
  readonly place: Kept
  /** Changes of this process that only its memory holds, for Redis to be told. */
  readonly owed: number
  /** Sessions that this process remembers. */
  readonly remembered: number
  /** Saves of sessions that had been logged out. */
  readonly revived: number
}

export interface Sessions {
  /** The data of a session; undefined when there is none, it is over, or was logged out. Never throws for Redis or the database. */
  get(id: string, options?: GetOptions): Promise<Record<string, unknown> | undefined>
  /**
   * Stores the data of a session, which must be an object that JSON can write. A session that was logged out stays so.
   * @throws EvenkeelError `SESSION_DATA` when JSON cannot write it
   */
  set(id: string, data: object, options?: SaveOptions): Promise<Kept>
  /** Lets a session live on, unchanged. */
  touch(id: string, options?: SaveOptions): Promise<void>
  /** Logs out, for good: whatever is saved under this id afterwards is not stored. */
  destroy(id: string): Promise<Kept>
  /** The id of every session that can be found now: each where sessions are looked for, and each that this process knows. For operators. */
  ids(): Promise<readonly string[]>
  /** A sealed copy of a session, as this process knows it, for a cookie beside its own. Asks nobody. */
  copy(id: string, options?: CopyOptions): SealedCopy
  /** Were secrets given to seal copies with? */
  readonly seals: boolean
  readonly stats: SessionStats
  /** Begins to listen to the link; returns at once. */
  start(): void
  /** Ends timers; writes what waits for the database, and never waits for Redis. */
  close(): Promise<void>
}

/** How often the database is asked whether other processes owe Redis something, and cleaned up. */
const LOOK_EVERY_MS = 1000
const PRUNE_EVERY_LOOKS = 60
/** The end that the database knows is renewed when it is off by this share of a session's life. */
const RENEW_SHARE = 0.1

/** @throws OptionError that names the option which cannot work */
export function createSessions(options: SessionsOptions): Sessions {
  return new LinkedSessions(options)
}

class LinkedSessions implements Sessions {
  readonly #settings: CheckedSettings
  readonly #link: RedisLink
  readonly #clock: Clock
  readonly #redis: RedisStore
  readonly #suspicion: Suspicion
  readonly #database: DatabaseStore | undefined
  readonly #copier: Copier | undefined
  /** What this process has seen last: versions, and all there is in an outage without a database. */
  readonly #remembered: MemoryStore
  readonly #owing: Owing
  readonly #copies: SealedCopies | undefined
  /** The run of the server that knows every logout this process has told it. */
  #run: string | undefined
  /** Redis serves and owes us no answer about what happened while it was away. */
  #trusted = false
  #telling = false
  #looks = 0
  #version = 0
  #revived = 0
  #timer: TimerHandle | undefined
  #stopListening: (() => void) | undefined

  constructor(options: SessionsOptions) {
    const { link, database, clock = systemClock } = options
    this.#settings = sessionSettings(options)
    const { prefix, deadlineMs, databaseDeadlineMs, maxRemembered, seal } = this.#settings
    this.#link = link
    this.#clock = clock
    this.#redis = new RedisStore({ link, clock, prefix, deadlineMs })
    this.#suspicion = new Suspicion({ link, onCleared: () => void this.#linkChanged() })
    this.#remembered = new MemoryStore(maxRemembered)
    this.#database = database && new DatabaseStore({ database, deadlineMs: databaseDeadlineMs })
    this.#copier = this.#database && new Copier({ clock, maxWaiting: maxRemembered, database: this.#database })
    this.#owing = new Owing({ redis: this.#redis, database: this.#database, clock, maxOwed: maxRemembered })
    this.#copies = seal && new SealedCopies({ seal, prefix, clock })
  }

  get seals(): boolean {
    return this.#copies !== undefined
  }

  get stats(): SessionStats {
    const place = this.#trusted ? 'redis' : this.#database?.usable === true ? 'database' : 'memory'
    const { size: owed } = this.#owing
    const seals = this.#copies?.stats ?? NO_SEALS
    return { place, owed, remembered: this.#remembered.size, revived: this.#revived, ...seals }
  }

  start(): void {
    if (this.#stopListening !== undefined) return
    this.#stopListening = this.#link.onHealth(() => void this.#linkChanged())
    void this.#linkChanged()
    this.#lookLater()
  }

  async close(): Promise<void> {
    this.#trusted = false
    this.#stopListening?.()
    this.#stopListening = undefined
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    await this.#copier?.close()
  }

  async get(id: string, { sealed }: GetOptions = {}): Promise<Record<string, unknown> | undefined> {
    const found = await this.#find(id, sealed)
    if (found === undefined) return undefined
    // A logout as well: this process knows of it then, should Redis be away, or lose it.
    this.#remember(found)
    if (found.text === undefined) return undefined
    // `decode` and `textOf` have let nothing else in.
    return JSON.parse(found.text) as Record<string, unknown>
  }

  async set(id: string, data: object, { ttlMs = this.#settings.ttlMs }: SaveOptions = {}): Promise<Kept> {
    const text = textOf(data)
    const known = this.#known(id)
    if (known !== undefined && known.text === undefined) {
      this.#revived += 1
      return this.stats.place
    }
    const now = this.#clock.wallNow()
    const { confirmedAt = now, servedUntil } = known ?? {}
    const record = { id, version: this.#nextVersion(known), expiresAt: now + ttlMs, text, confirmedAt, servedUntil }
    this.#remember(record)
    return await this.#keep(record)
  }

  async touch(id: string, { ttlMs = this.#settings.ttlMs }: SaveOptions = {}): Promise<void> {
    const expiresAt = this.#clock.wallNow() + ttlMs
    const touched = await this.#inRedis(() => this.#redis.touch(id, ttlMs))
    const known = touched === undefined ? await this.#find(id) : this.#known(id)
    if (known?.text === undefined || touched === false) return
    const renewed = { ...known, expiresAt }
    this.#remember(renewed)
    if (touched === undefined) await this.#keep(renewed)
    else if (Math.abs(expiresAt - (known.copiedUntil ?? 0)) > ttlMs * RENEW_SHARE) await this.#copy(renewed)
  }

  async destroy(id: string): Promise<Kept> {
    const known = this.#known(id)
    const now = this.#clock.wallNow()
    const expiresAt = Math.max(now + this.#settings.ttlMs, known?.expiresAt ?? 0)
    const record = { id, version: this.#nextVersion(known), expiresAt, text: undefined }
    this.#remember(record)
    const told = await this.#inRedis(() => this.#redis.destroy(record))
    // Frameworks destroy what they never stored, at every login: that needs no mark.
    if (told === false && (await this.#inDatabase((database) => database.has(id))) !== true) return 'redis'
    const stored = await this.#inDatabase((database) => database.save([record], told === undefined, now))
    // A copy that lives on there would be found again.
    if (stored === undefined) this.#copier?.add(record)
    if (told !== undefined) return 'redis'
    if (stored !== undefined) return 'database'
    this.#owing.owe(record)
    return 'memory'
  }

  async ids(): Promise<readonly string[]> {
    const inRedis = await this.#inRedis(() => this.#redis.ids())
    const inDatabase = await this.#inDatabase((database) => database.ids())
    const here = [...this.#owing.saves, ...this.#remembered.all()].map(({ id }) => id)
    const ids = [...new Set([...(inRedis ?? []), ...(inDatabase ?? []), ...here])]
    const found = await inTurns(ids, (id) => this.#find(id))
    return ids.filter((_id, index) => found[index]?.text !== undefined)
  }

  copy(id: string, { shown, ttlMs }: CopyOptions = {}): SealedCopy {
    const known = this.#known(id)
    const record = known && ttlMs !== undefined ? { ...known, expiresAt: this.#clock.wallNow() + ttlMs } : known
    return this.#copies?.copy(record, shown) ?? 'none'
  }

  /** The record that counts, wherever it is. */
  async #find(id: string, sealed?: string): Promise<SessionRecord | undefined> {
    const known = this.#known(id)
    // Redis may not have been told yet: it left one call unanswered, and the database has it.
    if (known !== undefined && known.text === undefined) return known
    const asked = await this.#inRedis(async () => ({ record: await this.#redis.get(id) }))
    if (asked === undefined) return await this.#elsewhere(id, sealed)
    const { record } = asked
    if (record === undefined) return newest(this.#owing.get(id, this.#clock.wallNow()), await this.#lost(id))
    // Without a version another application wrote it, after us.
    return record.version === 0 ? record : newest(record, known)
  }

  /** Redis cannot be asked. */
  async #elsewhere(id: string, sealed: string | undefined): Promise<SessionRecord | undefined> {
    const stored = await this.#stored(id)
    const known = this.#known(id)
    if (stored === undefined && this.#copies !== undefined) return this.#copies.choose(known, id, sealed)
    const serves = (known?.servedUntil ?? Infinity) > this.#clock.wallNow()
    return newest(stored?.record, serves ? known : undefined)
  }

  /** What the database says; undefined: it cannot be asked. */
  #stored(id: string): Promise<{ readonly record: SessionRecord | undefined } | undefined> {
    return this.#inDatabase(async (database) => {
      const record = await database.get(id)
      return { record: record && { ...record, confirmedAt: this.#clock.wallNow() } }
    })
  }

  /** Redis has no such session: it never was, it is over, or Redis has lost its data and the database has not. */
  async #lost(id: string): Promise<SessionRecord | undefined> {
    const stored = await this.#stored(id)
    const known = this.#known(id)
    const record = known !== undefined && known.text === undefined ? known : stored?.record
    if (record === undefined) this.#remembered.forget(id)
    else await this.#inRedis(() => this.#redis.save(record))
    return record
  }

  async #keep(record: SessionRecord): Promise<Kept> {
    const outcome = await this.#inRedis(() => this.#redis.save(record))
    if (outcome === 'gone') {
      this.#revived += 1
      this.#remember({ ...record, text: undefined })
    } else if (outcome === 'stored') await this.#copy(this.#confirmed(record))
    if (outcome !== undefined) return 'redis'
    const now = this.#clock.wallNow()
    const stored = await this.#inDatabase((database) => database.save([record], true, now))
    if (stored !== undefined) return 'database'
    this.#owing.owe(record)
    return 'memory'
  }

  /** Redis has it: what was taken from a sealed copy counts by itself now. */
  #confirmed(record: SessionRecord): SessionRecord {
    const confirmed = { confirmedAt: this.#clock.wallNow(), servedUntil: undefined }
    const known = this.#known(record.id)
    // Unless it has changed again meanwhile.
    if (known?.version === record.version) this.#remember({ ...known, ...confirmed })
    return { ...record, ...confirmed }
  }

  /** Undefined: Redis did not answer, or is not to be asked. */
  async #inRedis<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (!this.#trusted) return undefined
    try {
      return await this.#suspicion.watch(ask)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      // What this request asks next, and every other, does not wait as long to find out the same.
      if (this.#suspicion.suspected) this.#trusted = false
      return undefined
    }
  }

  /** Undefined: there is no database, or it did not answer. */
  async #inDatabase<T>(ask: (database: DatabaseStore) => Promise<T>): Promise<T | undefined> {
    if (this.#database?.usable !== true) return undefined
    try {
      return await ask(this.#database)
    } catch (error) {
      if (error instanceof DatabaseError) return undefined
      throw error
    }
  }

  /** What this process knows by itself. */
  #known(id: string): SessionRecord | undefined {
    const now = this.#clock.wallNow()
    return newest(this.#owing.get(id, now), this.#remembered.get(id, now))
  }

  #remember(record: SessionRecord): void {
    const before = this.#remembered.get(record.id, this.#clock.wallNow())
    this.#remembered.set({ ...record, copiedUntil: record.copiedUntil ?? before?.copiedUntil })
  }

  /** To the database, behind Redis; at once when the session ends sooner than it knows, or it would be found there again. */
  async #copy(record: SessionRecord): Promise<void> {
    if (this.#copier === undefined) return
    const known = this.#known(record.id)?.copiedUntil ?? 0
    this.#remember({ ...record, copiedUntil: record.expiresAt })
    const now = this.#clock.wallNow()
    const isShorter = record.expiresAt < known
    const stored = isShorter && (await this.#inDatabase((database) => database.save([record], false, now)))
    if (stored === false || stored === undefined) this.#copier.add(record)
  }

  /** Larger than any that this process has given or seen of this session, whatever the clocks of other machines say. */
  #nextVersion(known: SessionRecord | undefined): number {
    this.#version = Math.max(this.#clock.wallNow(), this.#version + 1, (known?.version ?? 0) + 1)
    return this.#version
  }

  get #serves(): boolean {
    const { read, write } = this.#link.health.can
    return read && write && !this.#suspicion.suspected
  }

  async #linkChanged(): Promise<void> {
    if (!this.#serves) this.#trusted = false
    else if (!this.#trusted) await this.#tell()
  }

  /** Redis learns what happened while it was away, and is asked again from then on. */
  async #tell(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    try {
      const run = this.#link.server?.runId
      // Another server, or one that was restarted, may have lost the marks of logouts that the one before had confirmed.
      if (!this.#trusted && (run === undefined || run !== this.#run)) this.#oweLogouts()
      await (this.#trusted ? this.#owing.tellFromDatabase() : this.#owing.tell())
      this.#trusted = this.#serves && this.#stopListening !== undefined
      if (this.#trusted) this.#run = run
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
    } finally {
      this.#telling = false
    }
  }

  #oweLogouts(): void {
    const now = this.#clock.wallNow()
    for (const record of this.#remembered.all())
      if (record.text === undefined && record.expiresAt > now) this.#owing.owe(record)
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#lookLater()
      void this.#look()
    }, LOOK_EVERY_MS)
  }

  /** Another process may be cut off from Redis and leave in the database what it cannot say. */
  async #look(): Promise<void> {
    this.#looks += 1
    if (this.#serves) await this.#tell()
    if (this.#looks % PRUNE_EVERY_LOOKS === 0) await this.#inDatabase((database) => database.prune())
  }
}

/** Sessions looked at together: enough to be quick, few enough to leave room for callers. */
const AT_ONCE = 64

async function inTurns<One, Result>(all: readonly One[], ask: (one: One) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < all.length; from += AT_ONCE)
    results.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(ask))))
  return results
}
