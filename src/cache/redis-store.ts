/**
 * The Redis tier: plain commands where they do, scripts where two steps must be one.
 *
 *     GET, MGET                  a hit costs one plain command, or its part of one
 *     SET ~token NX PX           a miss takes the lease, in the key itself: whatever anybody does to the key ends the lease
 *     PEXPIRE GT                 renews it
 *     replace (script)           stores only over what was seen: the own lease, or the very value that is refreshed
 *     SET, UNLINK                a write needs no script: it ends every lease by overwriting it
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { ReplyError } from '../errors.ts'
import { Script, type RedisLink, type Reply } from '../link/index.ts'
import { headerText, isLease, leaseOf, markOf, readHeader, type Header } from './envelope.ts'
import type { KeyNames } from './keys.ts'
import type { Settings } from './options.ts'
import { ReadBatch, type Reader } from './read-batch.ts'

/** Overwrites a key that still begins with ARGV[1] by ARGV[2], for ARGV[3] ms. */
export const REPLACE = new Script(`if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

/** Deletes a key that is still exactly ARGV[1]. */
export const RELEASE = new Script(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

/** Lengthens the life of a key that is still exactly ARGV[1] to ARGV[2] ms; for servers before 7.0. */
export const RENEW = new Script(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/** What a key holds. */
export type Stored =
  | { readonly kind: 'nothing' }
  /** Somebody loads it. */
  | { readonly kind: 'lease' }
  /** A value of ours; whether it counts is for the caller to decide. */
  | { readonly kind: 'value'; readonly header: Header; readonly seen: string; readonly payload: string | Buffer }
  /** Something that we cannot read. */
  | { readonly kind: 'foreign'; readonly seen: string | Buffer }

/** A value on its way to Redis. */
export interface Outgoing {
  readonly generation: number
  readonly clock: number
  readonly ttlMs: number
  readonly l1TtlMs: number | undefined
  readonly tags: readonly string[]
}

/** A value that takes the place of what was seen. */
export interface Replacement {
  readonly key: string
  /** How the stored bytes began when they were looked at. */
  readonly seen: string | Buffer
  readonly value: string | Buffer
  /** How long Redis keeps it, in milliseconds. */
  readonly lifeMs: number
}

const NOTHING: Stored = { kind: 'nothing' }
const LEASE: Stored = { kind: 'lease' }
/** So much of a foreign value says whether it is still the same. */
const SEEN_BYTES = 64
const COMPRESSED = '+z'

/** Why a value cannot be read or written, in words that say nothing of the value. */
export class Unreadable extends Error {}

export interface RedisStoreOptions {
  readonly link: RedisLink
  readonly names: KeyNames
  readonly settings: Settings
  /** Unique in all processes. */
  readonly token: () => string
}

export class RedisStore {
  readonly #options: RedisStoreOptions
  readonly #link: RedisLink
  readonly #names: KeyNames
  readonly #deadlineMs: number
  readonly #reads: ReadBatch
  readonly #write: { readonly deadlineMs: number }
  readonly #codecName: string
  /** PEXPIRE … GT came with Redis 7.0. */
  #knowsGt = true

  constructor(options: RedisStoreOptions) {
    this.#options = options
    const { l2, codec, compressFromBytes, clock } = options.settings
    this.#link = options.link
    this.#names = options.names
    this.#deadlineMs = l2.deadlineMs
    const buffers = codec.binary === true || compressFromBytes < Infinity
    this.#reads = new ReadBatch({ link: options.link, clock, deadlineMs: l2.deadlineMs, buffers })
    this.#write = { deadlineMs: l2.writeDeadlineMs }
    this.#codecName = codec.name
  }

  /** The reply is for `storedIn`: a hit is the hot path, and one promise less is felt there. */
  read(key: string, reader: Reader): void {
    this.#reads.read(this.#names.entry(key), reader)
  }

  /** Does the key hold a value of this generation? */
  async holds(key: string, generation: number): Promise<boolean> {
    const mark = markOf(generation)
    const range = ['GETRANGE', this.#names.entry(key), '0', String(mark.length - 1)]
    return (await this.#link.send(range, { deadlineMs: this.#deadlineMs })) === mark
  }

  /** @throws whatever the codec throws; a header of another schema or codec cannot be read either */
  decode({ header, payload }: { readonly header: Header; readonly payload: string | Buffer }): unknown {
    const { codec, schema } = this.#options.settings
    if (header.schema !== schema) throw new Unreadable(`its schema is '${header.schema}', ours is '${schema}'`)
    const compressed = header.codec.endsWith(COMPRESSED)
    const name = compressed ? header.codec.slice(0, -COMPRESSED.length) : header.codec
    if (name !== this.#codecName)
      throw new Unreadable(`it was written by the codec '${name}', ours is '${this.#codecName}'`)
    if (!compressed && typeof payload === 'string') return codec.decode(payload)
    if (typeof payload === 'string') throw new Unreadable('it is compressed, and this cache reads text')
    const data = compressed ? inflateRawSync(payload) : payload
    return codec.decode(codec.binary === true ? data : data.toString())
  }

  /** The bytes to store, and how they begin. @throws whatever the codec throws */
  encode(value: unknown, outgoing: Outgoing): string | Buffer {
    const { codec, schema, compressFromBytes, clock } = this.#options.settings
    const data = codec.encode(value)
    if (typeof data !== 'string' && !Buffer.isBuffer(data))
      throw new Unreadable('the codec returned neither text nor bytes')
    const compress = Buffer.byteLength(data) >= compressFromBytes
    const line = headerText({
      ...outgoing,
      schema,
      token: this.#options.token(),
      storedAt: clock.wallNow(),
      codec: compress ? this.#codecName + COMPRESSED : this.#codecName,
    })
    if (compress) return Buffer.concat([Buffer.from(line), deflateRawSync(data)])
    return typeof data === 'string' ? line + data : Buffer.concat([Buffer.from(line), data])
  }

  /** Takes the lease of a key that holds nothing. */
  async lease(key: string, token: string): Promise<boolean> {
    const args = ['SET', this.#names.entry(key), leaseOf(token), 'NX', 'PX', String(this.#options.settings.lease.ttlMs)]
    return (await this.#link.send(args, { deadlineMs: this.#deadlineMs })) !== null
  }

  /** Takes the lease of a key that holds something of no use. */
  leaseOver(key: string, seen: string | Buffer, token: string): Promise<boolean> {
    return this.store({ key, seen, value: leaseOf(token), lifeMs: this.#options.settings.lease.ttlMs })
  }

  /** Marks that this process refreshes a value that others may go on using. */
  async guard(key: string, token: string): Promise<boolean> {
    const args = ['SET', this.#names.guard(key), token, 'NX', 'PX', String(this.#options.settings.lease.ttlMs)]
    return (await this.#link.send(args, { deadlineMs: this.#deadlineMs })) !== null
  }

  /**
   * By a plain command, for Redis tells us of what our own scripts change too, and then nobody would join a load that was
   * renewed. GT only ever lengthens a life, and what took the lease's place is judged by the life in its envelope.
   */
  async renew(key: string, token: string): Promise<void> {
    const name = this.#names.entry(key)
    const lifeMs = String(this.#options.settings.lease.ttlMs)
    const options = { deadlineMs: this.#deadlineMs }
    try {
      if (this.#knowsGt) await this.#link.send(['PEXPIRE', name, lifeMs, 'GT'], options)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      this.#knowsGt = false
    }
    if (!this.#knowsGt) await RENEW.run(this.#link, { keys: [name], args: [leaseOf(token), lifeMs], ...options })
  }

  async release(key: string, token: string): Promise<void> {
    const keys = [this.#names.entry(key)]
    await RELEASE.run(this.#link, { keys, args: [leaseOf(token)], deadlineMs: this.#deadlineMs })
  }

  async releaseGuard(key: string): Promise<void> {
    await this.#link.send(['DEL', this.#names.guard(key)], { deadlineMs: this.#deadlineMs })
  }

  /** Stores over what was seen and nothing else; false: somebody changed the key meanwhile. */
  async store({ key, seen, value, lifeMs }: Replacement): Promise<boolean> {
    const call = { keys: [this.#names.entry(key)], args: [seen, value, String(lifeMs)], deadlineMs: this.#deadlineMs }
    return (await REPLACE.run(this.#link, call)) === 1
  }

  /** When the tag was deleted, by the namespace's clock; 0: not as long as any value lives. */
  async tag(name: string): Promise<number> {
    const reply = await this.#link.send(['GET', this.#names.tag(name)], { deadlineMs: this.#deadlineMs })
    return reply === null ? 0 : Number(reply)
  }

  async write(key: string, value: string | Buffer, lifeMs: number): Promise<void> {
    await this.#link.send(['SET', this.#names.entry(key), value, 'PX', String(lifeMs)], this.#write)
  }

  /** Was there something? */
  async remove(key: string): Promise<boolean> {
    return (await this.#link.send(['UNLINK', this.#names.entry(key)], this.#write)) === 1
  }
}

/** Sorts a reply of GET. */
export function storedIn(reply: Reply): Stored {
  if (reply === null) return NOTHING
  return typeof reply === 'string' ? inText(reply) : inBytes(reply as Buffer)
}

function inText(text: string): Stored {
  const end = text.indexOf('\n')
  const read = end < 0 ? undefined : readHeader(text, end)
  if (read !== undefined) return { kind: 'value', header: read.header, seen: read.seen, payload: text.slice(end + 1) }
  return isLease(text) ? LEASE : { kind: 'foreign', seen: text.slice(0, SEEN_BYTES) }
}

function inBytes(bytes: Buffer): Stored {
  const end = bytes.indexOf(10)
  const read = end < 0 ? undefined : readHeader(bytes.toString('latin1', 0, end))
  if (read !== undefined) return { kind: 'value', ...read, payload: bytes.subarray(end + 1) }
  const front = bytes.subarray(0, SEEN_BYTES)
  return isLease(front.toString('latin1')) ? LEASE : { kind: 'foreign', seen: front }
}
