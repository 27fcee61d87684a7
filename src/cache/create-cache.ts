/**
 * Puts a cache together: options, tiers, journal, what is heard and how far it is believed.
 */
import { randomBytes } from 'node:crypto'
import { OptionError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import type { Cache } from './cache.ts'
import { channels } from '../telemetry/channels.ts'
import { Flight } from './flight.ts'
import { Hearing } from './hearing.ts'
import { Journal } from './journal.ts'
import { DiskJournal } from './journal-file.ts'
import { KeyNames } from './keys.ts'
import { LoadGate } from './load-gate.ts'
import { MemoryStore } from './memory-store.ts'
import { readSettings, type CacheOptions, type Settings } from './options.ts'
import type { Asked, Without } from './parts.ts'
import { RedisStore } from './redis-store.ts'
import { Replay } from './replay.ts'
import { newCounters } from './stats.ts'
import { Tags } from './tags.ts'
import { TieredCache } from './tiered-cache.ts'
import { Flights } from './traffic.ts'
import { Trust } from './trust.ts'
import { Upkeep, type Opened } from './upkeep.ts'
import type { TieredParts } from './writer.ts'

/**
 * Makes a cache over a link, which whoever made it starts and closes; without one it is memory alone.
 * @throws OptionError that names the option which cannot work
 */
export function createCache<V = unknown>(options: CacheOptions<V>): Cache<V> {
  return assembleCache(options)
}

/** The same for tests that take a mechanism out. */
export function assembleCache<V>(options: CacheOptions<V>, without: Without = {}): Cache<V> {
  const settings = readSettings(options)
  const base = baseOf(options, settings)
  // The parts tell each other of what happens; the cache is the last that is made, and nothing happens before.
  const made: Made<V> = { cache: undefined }
  const hearing = hearingOf(base, made, without)
  const replay = replayOf(base, made, hearing)
  const trust = new Trust({
    link: options.link,
    namespace: settings.namespace,
    clock: settings.clock,
    hearing,
    replay,
    onUsable: () => made.cache?.reachable(),
    onState: (state) => channels.cacheState.publish(state),
    withoutEpoch: without.epoch === true,
  })
  const flights = new Flights<V>()
  const parts: TieredParts<V> = {
    ...base,
    trust,
    flights,
    replay,
    without,
    load: options.load,
    traffic: flights,
    publish: (name) => hearing.publish(name),
    gate: new LoadGate({
      ...settings.away,
      clock: settings.clock,
      counters: base.counters,
      waitMs: settings.lease.waitMs,
      bounds: () => !trust.usable && !trust.memoryOnly,
    }),
    upkeep: new Upkeep({ ...base, replay }),
    refreshEarly: (by, found, seen) => {
      if (mayRefresh(parts, found)) refreshEarly(parts, by, seen)
    },
  }
  made.cache = new TieredCache(parts)
  trust.start()
  return made.cache
}

interface Made<V> {
  cache: TieredCache<V> | undefined
}

/** What needs nobody else. */
type Base<V> = ReturnType<typeof baseOf<V>>

function baseOf<V>({ link }: CacheOptions<V>, settings: Settings) {
  const names = new KeyNames(settings.prefix, settings.namespace)
  const onClose = link === undefined ? () => undefined : claim(link, names.prefix)
  const sender = randomBytes(6).toString('base64url')
  let writes = 0
  const token = (): string => `${sender}.${(writes++).toString(36)}`
  return {
    link,
    settings,
    names,
    onClose,
    sender,
    token,
    counters: newCounters(),
    tags: new Tags(),
    journal: new Journal({ maxKeys: settings.journal.maxKeys, file: journalFile(settings) }),
    memory: new MemoryStore<V>(settings.l1),
    redis: link === undefined ? undefined : new RedisStore({ link, names, settings, token }),
  }
}

function journalFile({ journal: { directory }, namespace }: Settings): DiskJournal | undefined {
  return directory === undefined ? undefined : new DiskJournal({ directory, namespace })
}

function hearingOf<V>(
  { link, names, sender, settings }: Base<V>,
  made: Made<V>,
  { tracking = false }: Without,
): Hearing {
  return new Hearing({
    link,
    names,
    clock: settings.clock,
    sender,
    changed: (what) => made.cache?.changed(what),
    changedAll: () => made.cache?.changedAll(),
    without: tracking,
  })
}

function replayOf<V>({ settings, ...base }: Base<V>, made: Made<V>, hearing: Hearing): Replay {
  return new Replay({
    ...base,
    afterRestart: settings.afterRestart,
    deadlineMs: settings.l2.writeDeadlineMs,
    tagLifeMs: settings.tagLifeMs,
    told: (key) => made.cache?.told(key),
    publish: (name) => hearing.publish(name),
    doubted: () => made.cache?.doubted(),
    superseded: () => made.cache?.superseded(),
    outdated: () => made.cache?.outdated(),
  })
}

/** Is the value's life nearly over? */
function mayRefresh<V>({ settings }: TieredParts<V>, { remainingMs, ttlMs }: Opened<V>): boolean {
  return remainingMs <= ttlMs * (1 - settings.earlyRefresh) && !settings.economy()
}

/** Behind the reader's back, by whoever is first of all processes. */
function refreshEarly<V>(parts: TieredParts<V>, { key, call }: Asked<V>, seen: string): void {
  const { flights } = parts
  if (call.load === undefined || flights.apart(key)) return
  const flight = new Flight(key, call, parts)
  flights.addApart(flight)
  flight.refresh(call.load, seen)
}

const prefixes = new WeakMap<RedisLink, Set<string>>()

/** Two caches with the same keys on one link would not hear of each other's changes: Redis does not tell a connection of its own. */
function claim(link: RedisLink, prefix: string): () => void {
  const taken = prefixes.get(link) ?? new Set()
  const other = [...taken].find((one) => one.startsWith(prefix) || prefix.startsWith(one))
  if (other !== undefined)
    throw new OptionError(
      'namespace',
      `Expected a 'namespace' that no other cache on this link has, got the keys '${prefix}*' beside '${other}*'.`,
    )
  prefixes.set(link, taken.add(prefix))
  return () => void taken.delete(prefix)
}
