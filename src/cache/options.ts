/**
 * The options of a cache: names, units, defaults, checked at once.
 */
import { systemClock } from '../clock.ts'
import type { Clock, Random } from '../clock.ts'
import { OptionError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import { knownOptions, numberOption, wordOption } from '../options.ts'
import type { Load } from './cache.ts'
import { jsonCodec, type Codec } from './codec.ts'

/** The memory tier. */
export interface L1Options {
  /** Entries at most; 0 keeps nothing in memory. @default 50_000 */
  readonly maxEntries?: number
  /** Estimated bytes at most. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number
  /** How long a copy in memory is trusted, in milliseconds. @default 60_000 */
  readonly ttlMs?: number
}

/** The Redis tier. */
export interface L2Options {
  /** Life of a value, in milliseconds. @default 300_000 */
  readonly ttlMs?: number
  /** A reader waits for Redis at most so long, in milliseconds. @default 100 */
  readonly deadlineMs?: number
  /** `set()` and `delete()` wait for Redis at most so long before they are journalled, in milliseconds. @default 250 */
  readonly writeDeadlineMs?: number
}

/** One load per key over all processes. */
export interface LeaseOptions {
  /** A process that dies while it loads holds up the others for so long at most, in milliseconds; renewed while the load runs. @default 5000 */
  readonly ttlMs?: number
  /** How long one process waits for another one's load before it loads by itself, in milliseconds. @default 1000 */
  readonly waitMs?: number
}

/** Keys whose change Redis has not been told. */
export interface JournalOptions {
  /** More than so many: the whole namespace is dropped on return. @default 100_000 */
  readonly maxKeys?: number
  /** A directory in which the journal is kept too, so that a crash during an outage is replayed as well. @default none: in memory */
  readonly directory?: string
}

/** What happens while Redis is away. */
export interface AwayOptions {
  /** Loads at once: every miss is a load now, and the source must not be run over. Those of one `loadMany` are one. @default 32 */
  readonly maxLoads?: number
  /**
   * One load more than that: `stale` answers with a copy however old it is, or else waits its turn for `lease.waitMs`;
   * `reject` fails at once with `CACHE_BUSY`. @default 'stale'
   */
  readonly overflow?: 'stale' | 'reject'
}

/** Compression of large values. */
export interface CompressionOptions {
  /** Payloads of at least so many bytes are compressed. @default 10_240 */
  readonly minBytes?: number
}

/**
 * What to do with values that were in Redis before it was restarted or failed over.
 * - `replay` trusts them, once this process has told what changed meanwhile
 * - `distrust` counts them as misses: the last writes before a crash may be lost, and nobody has them in a journal
 * - `flush` does that and deletes them, to give memory back at once
 */
export type AfterRestart = 'replay' | 'distrust' | 'flush'

/** What a reader may do to a value that it got out of memory: `freeze` nothing (it throws), `clone` anything (it costs a copy), `none` nothing is done about it. */
export type Isolate = 'freeze' | 'clone' | 'none'

/** What does not depend on where the cache is used; the rest of the door's `keel.cache(namespace, options)`. */
export interface CacheTuning<V = unknown> {
  readonly l1?: L1Options
  readonly l2?: L2Options
  /** Gets what no tier holds, so that `get(key)` is enough. @default none: a miss is undefined */
  readonly load?: Load<V>
  /** A copy may stand in for a load that fails for so long beyond its life, in milliseconds. Redis keeps values longer by it. @default 0 */
  readonly staleIfErrorMs?: number
  /** A copy is given at once for so long beyond its life, and loaded anew behind it, in milliseconds. @default 0 */
  readonly staleWhileRevalidateMs?: number
  /** With a copy in hand whose time has passed, a reader waits at most so long for a better one, in milliseconds. @default 20 */
  readonly softDeadlineMs?: number
  /** From this share of its life on, one process loads a value anew that is read; 1: never. @default 0.85 */
  readonly earlyRefresh?: number
  /** Lives are shortened at random by up to this share, so that what was stored together does not end together. @default 0.1 */
  readonly jitter?: number
  /** @default 'none' */
  readonly isolate?: Isolate
  /** @default jsonCodec */
  readonly codec?: Codec
  /** @default false */
  readonly compression?: CompressionOptions | boolean
  /** Version of the values' shape: values of another one are misses. @default none */
  readonly schema?: string | number
  /** @default 'distrust' */
  readonly afterRestart?: AfterRestart
  readonly lease?: LeaseOptions
  readonly journal?: JournalOptions
  readonly away?: AwayOptions
  /** Asked before a read goes to Redis; true: copies in memory live as long as the value, and nothing is refreshed early. @default never */
  readonly economy?: () => boolean
}

export interface CacheOptions<V = unknown> extends CacheTuning<V> {
  /** The connection to Redis; without one the cache is memory alone. @default none */
  readonly link?: RedisLink | undefined
  /** Letters, digits, `-`, `_` and `.`; once per link. */
  readonly namespace: string
  /** In front of every key in Redis. @default 'evenkeel:cache:' */
  readonly prefix?: string
  readonly clock?: Clock
  readonly random?: Random
}

/** The options as the rest of the folder reads them: nothing left open. */
export interface Settings {
  readonly namespace: string
  readonly prefix: string
  readonly l1: Required<L1Options>
  readonly l2: Required<L2Options>
  readonly lease: Required<LeaseOptions>
  readonly journal: { readonly maxKeys: number; readonly directory: string | undefined }
  readonly away: Required<AwayOptions>
  readonly staleIfErrorMs: number
  readonly staleWhileRevalidateMs: number
  /** How long beyond its life a copy is kept. */
  readonly staleMs: number
  /** How long the deletion of a tag is remembered: no value with a tag may be kept longer. */
  readonly tagLifeMs: number
  readonly softDeadlineMs: number
  readonly earlyRefresh: number
  readonly jitter: number
  readonly isolate: Isolate
  readonly codec: Codec
  /** Infinity: nothing is compressed. */
  readonly compressFromBytes: number
  readonly schema: string
  readonly afterRestart: AfterRestart
  readonly economy: () => boolean
  readonly clock: Clock
  readonly random: Random
}

const L1_DEFAULTS: Required<L1Options> = { maxEntries: 50_000, maxBytes: 64 * 1024 * 1024, ttlMs: 60_000 }
const L2_DEFAULTS: Required<L2Options> = { ttlMs: 300_000, deadlineMs: 100, writeDeadlineMs: 250 }
const LEASE_DEFAULTS: Required<LeaseOptions> = { ttlMs: 5000, waitMs: 1000 }
const AWAY_DEFAULTS: Required<AwayOptions> = { maxLoads: 32, overflow: 'stale' }
const MAX_KEYS = 100_000
const DAY_MS = 86_400_000
const COMPRESS_FROM_BYTES = 10_240

/** Names of the tuning options, for the check against misspelt ones. */
const TUNING_NAMES: readonly (keyof CacheTuning)[] = [
  'l1',
  'l2',
  'load',
  'staleIfErrorMs',
  'staleWhileRevalidateMs',
  'softDeadlineMs',
  'earlyRefresh',
  'jitter',
  'isolate',
  'codec',
  'compression',
  'schema',
  'afterRestart',
  'lease',
  'journal',
  'away',
  'economy',
]
const NAMES = [...TUNING_NAMES, 'link', 'namespace', 'prefix', 'clock', 'random']
const NAME = /^[\w.-]+$/
/** No life and no wait may be longer: as far as timers count. */
export const LONGEST_MS = 2 ** 31 - 1

/** Checks the options and fills in what was left out. */
export function readSettings<V>(options: CacheOptions<V>): Settings {
  knownOptions('the cache', options, NAMES)
  const { namespace, prefix = 'evenkeel:cache:', load, economy = () => false, codec = jsonCodec } = options
  functionOption('load', load)
  const stale = {
    staleIfErrorMs: numberOption('staleIfErrorMs', options.staleIfErrorMs ?? 0, { max: LONGEST_MS }),
    staleWhileRevalidateMs: numberOption('staleWhileRevalidateMs', options.staleWhileRevalidateMs ?? 0, {
      max: LONGEST_MS,
    }),
  }
  const groups = readGroups(options)
  const staleMs = Math.max(stale.staleIfErrorMs, stale.staleWhileRevalidateMs)
  return {
    namespace: nameOption('namespace', namespace),
    prefix: prefixOption(prefix),
    economy: functionOption('economy', economy) ?? (() => false),
    codec: codecOption(codec),
    ...groups,
    ...stale,
    staleMs,
    tagLifeMs: Math.min(LONGEST_MS, Math.max(DAY_MS, 2 * (groups.l2.ttlMs + staleMs))),
    softDeadlineMs: numberOption('softDeadlineMs', options.softDeadlineMs ?? 20, { max: LONGEST_MS }),
    earlyRefresh: shareOption('earlyRefresh', options.earlyRefresh ?? 0.85),
    jitter: shareOption('jitter', options.jitter ?? 0.1),
    isolate: wordOption('isolate', options.isolate ?? 'none', ['freeze', 'clone', 'none']),
    compressFromBytes: readCompression(options.compression),
    schema: options.schema === undefined ? '' : nameOption('schema', String(options.schema)),
    afterRestart: wordOption('afterRestart', options.afterRestart ?? 'distrust', ['replay', 'distrust', 'flush']),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

/** Checks the options of one call. */
export function ttlOption(name: string, value: number | undefined, fallback: number): number {
  return value === undefined ? fallback : numberOption(name, value, { min: 1, max: LONGEST_MS })
}

type Groups = Pick<Settings, 'l1' | 'l2' | 'lease' | 'journal' | 'away'>

function readGroups<V>(options: CacheTuning<V>): Groups {
  const { journal = {} } = options
  knownOptions('journal', journal, ['maxKeys', 'directory'])
  const away = { ...AWAY_DEFAULTS, ...options.away }
  knownOptions('away', away, Object.keys(AWAY_DEFAULTS))
  return {
    l1: numbers('l1', options.l1, L1_DEFAULTS),
    l2: numbers('l2', options.l2, L2_DEFAULTS),
    lease: numbers('lease', options.lease, LEASE_DEFAULTS),
    journal: {
      maxKeys: numberOption('journal.maxKeys', journal.maxKeys ?? MAX_KEYS),
      directory: journal.directory,
    },
    away: {
      maxLoads: numberOption('away.maxLoads', away.maxLoads, { min: 1 }),
      overflow: wordOption('away.overflow', away.overflow, ['stale', 'reject']),
    },
  }
}

/** A group of options that are all numbers; only sizes may be 0. */
function numbers<Group extends object>(group: string, given: Partial<Group> | undefined, defaults: Group): Group {
  knownOptions(group, given ?? {}, Object.keys(defaults))
  const read: Record<string, number> = {}
  for (const [name, preset] of Object.entries(defaults)) {
    const value = (given as Record<string, unknown> | undefined)?.[name] ?? preset
    const range = name.endsWith('Ms') ? { min: 1, max: LONGEST_MS } : {}
    read[name] = numberOption(`${group}.${name}`, value, range)
  }
  return read as Group
}

function readCompression(given: CompressionOptions | boolean | undefined): number {
  if (given === undefined || given === false) return Infinity
  if (given === true) return COMPRESS_FROM_BYTES
  knownOptions('compression', given, ['minBytes'])
  return numberOption('compression.minBytes', given.minBytes ?? COMPRESS_FROM_BYTES)
}

function nameOption(name: string, value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value
  throw new OptionError(name, `Expected '${name}' to be letters, digits, '-', '_' and '.', got '${String(value)}'.`)
}

/** Redis takes its prefixes for tracking as they are; a pattern is made of it as well. */
function prefixOption(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:-]*$/.test(value)) return value
  const expected = "letters, digits, '-', '_', '.' and ':'"
  throw new OptionError('prefix', `Expected 'prefix' to be ${expected}, got '${String(value)}'.`)
}

function shareOption(name: string, value: unknown): number {
  return numberOption(name, value, { max: 1, integer: false })
}

function functionOption<F>(name: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw new OptionError(name, `Expected '${name}' to be a function, got a ${typeof value}.`)
}

function codecOption(codec: Codec): Codec {
  nameOption('codec.name', codec.name)
  for (const name of ['encode', 'decode'] as const) functionOption(`codec.${name}`, codec[name])
  return codec
}
