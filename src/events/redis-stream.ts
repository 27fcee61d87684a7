/**
 * Events in Redis: one stream for all topics of a name, and one channel on which each event is told as it is appended, so that
 * nobody has to ask, and no process needs a connection more than it has.
 *
 *     append ─▶ known id? ──yes──▶ nothing
 *                  └─no─▶ XADD (the entry names the one before it) ─▶ PUBLISH the same
 *
 * Because each entry names the one before it, whoever reads or hears them sees at once when one is missing. The keys are of one
 * slot: `evenkeel:events:{name}`, beside it `:meta` (the incarnation and the last id) and `:ids` (which events it has).
 */
import type { Clock } from '../clock.ts'
import { LinkError } from '../errors.ts'
import { Script, type RedisLink, type Reply } from '../link/index.ts'
import { decode, encode, idOf, type Envelope } from './envelope.ts'
import type { Place } from './last-id.ts'

export const BEGINNING = '0-0'

/** Begins a stream where there is none, an empty one, so that there is no place without an incarnation. ARGV[1]: a new one. */
const BEGIN = `
local inc, last = unpack(redis.call('HMGET', KEYS[2], 'incarnation', 'last'))
if not inc or redis.call('EXISTS', KEYS[1]) == 0 then
  inc, last = ARGV[1], '${BEGINNING}'
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  redis.call('XGROUP', 'CREATE', KEYS[1], 'begin', '$', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', KEYS[1], 'begin')
  redis.call('HSET', KEYS[2], 'incarnation', inc, 'last', last)
end`

/** ARGV beside: maxLength, maxAgeMs, channel, then id ('' for one that is sent once) and text of each event. */
const APPEND = `${BEGIN}
local length, age = ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = 0
for i = 5, #ARGV, 2 do
  local id, text = ARGV[i], ARGV[i + 1]
  if id == '' then
    redis.call('PUBLISH', ARGV[4], 'once ' .. text)
  elseif redis.call('ZADD', KEYS[3], 'NX', now, id) == 1 then
    local at = redis.call('XADD', KEYS[1], 'MAXLEN', '~', length, '*', 'before', last, 'event', text)
    redis.call('PUBLISH', ARGV[4], table.concat({ 'stream', inc, last, at, text }, ' '))
    last = at
    added = added + 1
  end
end
if added > 0 then
  redis.call('HSET', KEYS[2], 'last', last)
  redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now - age))
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('(%.0f', now - age))
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -2 * length - 1)
end
return { inc, last }`

/** ARGV beside: the id to read after, how many, an id that it should hold. */
const READ = `${BEGIN}
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local holds = #redis.call('XRANGE', KEYS[1], ARGV[4], ARGV[4])
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', ARGV[3])
return { inc, last, first and first[1] or '', holds, entries }`

/** KEYS meta; ARGV the incarnation that is over, and the one that follows. */
const RENEW = `
if redis.call('HGET', KEYS[1], 'incarnation') == ARGV[1] then redis.call('HSET', KEYS[1], 'incarnation', ARGV[2]) end
return redis.call('HGET', KEYS[1], 'incarnation')`

export interface StreamEntry {
  readonly place: Place
  /** Id of the entry before it. */
  readonly before: string
  /** Undefined when it is none of ours. */
  readonly envelope: Envelope | undefined
}

/** What a read found. */
export interface StreamPage {
  readonly incarnation: string
  /** The id that was given out last, whether or not that entry is still there. */
  readonly last: string
  /** The oldest entry that is there; undefined when all are gone for their age. */
  readonly first: string | undefined
  /** Does it hold the entry that was asked for? */
  readonly holds: boolean
  readonly entries: readonly StreamEntry[]
}

export interface RedisStreamOptions {
  readonly link: RedisLink
  readonly clock: Clock
  readonly name: string
  readonly maxLength: number
  readonly maxAgeMs: number
  /** A word for a new incarnation. */
  readonly incarnation: () => string
}

export interface ReadOptions {
  readonly after: string
  readonly count: number
  /** @default `after` */
  readonly holds?: string
}

/** A message of the channel. */
export type StreamMessage =
  | { readonly kind: 'once'; readonly envelope: Envelope }
  | { readonly kind: 'stream'; readonly entry: StreamEntry }

export class RedisStream {
  readonly channel: string
  readonly #options: RedisStreamOptions
  readonly #append: Script
  readonly #read: Script
  readonly #renew: Script
  readonly #keys: readonly [string, string, string]
  #written: Place | undefined

  constructor(options: RedisStreamOptions) {
    this.#options = options
    const key = `evenkeel:events:{${options.name}}`
    this.#keys = [key, `${key}:meta`, `${key}:ids`]
    this.channel = `evenkeel:events:${options.name}`
    this.#append = new Script(APPEND, options.clock)
    this.#read = new Script(READ, options.clock)
    this.#renew = new Script(RENEW, options.clock)
  }

  /** The last entry after an append of ours was confirmed. */
  get written(): Place | undefined {
    return this.#written
  }

  /** Appends what it does not have, in order, and tells everybody who listens. @throws LinkError */
  async append(envelopes: readonly Envelope[], deadlineMs: number): Promise<void> {
    const { link, maxLength, maxAgeMs, incarnation } = this.#options
    const args = [incarnation(), String(maxLength), String(maxAgeMs), this.channel]
    for (const envelope of envelopes) args.push(envelope.delivery === 'stream' ? idOf(envelope) : '', encode(envelope))
    const reply = textsIn(await this.#append.run(link, { keys: this.#keys, args, deadlineMs }))
    const [word = '', at = BEGINNING] = reply
    if (envelopes.some(({ delivery }) => delivery === 'stream')) this.#written = { incarnation: word, at }
  }

  /** @throws LinkError */
  async read({ after, count, holds = after }: ReadOptions, deadlineMs: number): Promise<StreamPage> {
    const { link, incarnation: newOne } = this.#options
    const args = [newOne(), after, String(count), holds]
    const reply = await this.#read.run(link, { keys: this.#keys, args, deadlineMs })
    const [word = '', last = BEGINNING, first = '', held, entries] = listIn(reply)
    const incarnation = String(word)
    return {
      incarnation,
      last: String(last),
      first: first === '' ? undefined : String(first),
      holds: held === 1,
      entries: listIn(entries).map((entry) => entryOf(incarnation, entry)),
    }
  }

  /** The stream has lost what it had confirmed: its places do not compare with those of before. @throws LinkError */
  async renew(incarnation: string, deadlineMs: number): Promise<void> {
    const args = [incarnation, this.#options.incarnation()]
    await this.#renew.run(this.#options.link, { keys: [this.#keys[1]], args, deadlineMs })
  }
}

/** Undefined for what is none of ours. */
export function messageIn(payload: Buffer): StreamMessage | undefined {
  const text = payload.toString()
  if (text.startsWith('once ')) {
    const envelope = decode(text.slice(5))
    return envelope && { kind: 'once', envelope }
  }
  const match = /^stream ([0-9a-z]+) (\d+-\d+) (\d+-\d+) /.exec(text)
  if (match === null) return undefined
  const [head, incarnation = '', before = '', at = ''] = match
  const place = { incarnation, at }
  return { kind: 'stream', entry: { place, before, envelope: decode(text.slice(head.length)) } }
}

function entryOf(incarnation: string, entry: Reply): StreamEntry {
  const [at, fields] = listIn(entry)
  const texts = textsIn(fields ?? null)
  const field = (name: string): string => texts[texts.indexOf(name) + 1] ?? ''
  const place = { incarnation, at: String(at) }
  return { place, before: field('before'), envelope: decode(field('event')) }
}

function listIn(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : []
}

function textsIn(reply: Reply): string[] {
  return listIn(reply).map(String)
}

/** Redis could not be asked, or did not answer; anything else is a mistake and goes on. */
export function isLinkTrouble(error: unknown): error is LinkError {
  return error instanceof LinkError
}
