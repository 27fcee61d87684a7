/**
 * A Redis of made-up time for the cache: what the cache's commands and scripts do to shared data, server-assisted invalidation,
 * and links that can be cut, silenced and delayed.
 *
 *     link ── requestMs ──▶ server ── replyMs ──▶ link
 *                             └────── pushMs ───▶ every other link that tracks the key
 */
import { LinkError, ReplyError, type Reason } from '../../src/errors.ts'
import type { LinkHealth, RedisLink, SendOptions, ServerIdentity } from '../../src/link/index.ts'
import { DELETE_OLD } from '../../src/cache/delete-old.ts'
import { globTest } from '../../src/cache/glob.ts'
import { RELEASE, RENEW, REPLACE } from '../../src/cache/redis-store.ts'
import { STATE, TAG } from '../../src/cache/replay.ts'
import type { FakeClock } from './fake-clock.ts'

type Argument = string | Buffer
type Value = string | number | null | readonly Value[]

interface Held {
  readonly text: string
  readonly until: number
}

/** What one cache process sees of the tracking of its link. */
interface Listener {
  invalidated(keys: readonly Buffer[] | undefined): void
  state(state: 'hearing' | 'deaf' | 'refused', reason: Reason): void
}

const FINE: Reason = { code: 'connected', text: 'It answers.', nextStep: 'Nothing.' }
const AWAY: Reason = { code: 'refused', text: 'Nobody listens.', nextStep: 'Start it.' }

/** The data, and who is to be told of changes. */
export class FakeRedis {
  readonly clock: FakeClock
  readonly links = new Set<FakeLink>()
  readonly #data = new Map<string, Held>()
  /** The keys when the scan began: whatever is there all the time is found. */
  #scanned: readonly string[] = []
  runId = 'run-1'
  /** Commands that were run, by name. */
  readonly ran: string[] = []

  constructor(clock: FakeClock) {
    this.clock = clock
  }

  get(key: string): string | null {
    const held = this.#data.get(key)
    if (held === undefined) return null
    if (held.until > this.clock.now()) return held.text
    this.#data.delete(key)
    this.#tell(key, undefined)
    return null
  }

  keys(): readonly string[] {
    return [...this.#data.keys()].filter((key) => this.get(key) !== null)
  }

  /** What a snapshot holds. */
  snapshot(): ReadonlyMap<string, Held> {
    return new Map(this.#data)
  }

  /** Another process of the server, with these data. */
  restart(data: ReadonlyMap<string, Held>): void {
    this.runId = `run-${Number(this.runId.slice(4)) + 1}`
    this.#data.clear()
    for (const [key, held] of data) this.#data.set(key, held)
  }

  /** Runs a command of one link; undefined: by somebody foreign. */
  run(args: readonly Argument[], by: FakeLink | undefined): Value {
    const [name = '', ...words] = args.map(String)
    this.ran.push(name)
    const [key = '', value = ''] = words
    if (name === 'GET') return this.get(key)
    if (name === 'MGET') return words.map((word) => this.get(word))
    if (name === 'GETRANGE') return (this.get(key) ?? '').slice(Number(value), Number(words[2]) + 1)
    if (name === 'SET') return this.#set(words, by)
    if (name === 'DEL' || name === 'UNLINK') return words.reduce((sum, one) => sum + this.#delete(one, by), 0)
    if (name === 'PEXPIRE') return this.#lengthen(key, Number(value), by)
    if (name === 'SCAN') return this.#scan(words)
    if (name === 'EVALSHA') return this.#script(key, Number(value), words.slice(2))
    if (name === 'FLUSHALL') return this.#flush()
    if (name === 'PING') return 'PONG'
    throw new ReplyError(`ERR unknown command '${name}'`, { executed: 'no' })
  }

  #set([key = '', value = '', ...options]: readonly string[], by: FakeLink | undefined): Value {
    if (options.includes('NX') && this.get(key) !== null) return null
    const life = options.indexOf('PX')
    const until = life < 0 ? Infinity : this.clock.now() + Number(options[life + 1])
    this.#data.set(key, { text: value, until })
    this.#tell(key, by)
    return 'OK'
  }

  /** With GT. */
  #lengthen(key: string, forMs: number, by: FakeLink | undefined): number {
    const held = this.get(key) === null ? undefined : this.#data.get(key)
    const until = this.clock.now() + forMs
    if (held === undefined || held.until >= until) return 0
    this.#data.set(key, { ...held, until })
    this.#tell(key, by)
    return 1
  }

  #delete(key: string, by: FakeLink | undefined): number {
    if (this.get(key) === null) return 0
    this.#data.delete(key)
    this.#tell(key, by)
    return 1
  }

  /** All that matches, in steps of as many keys as COUNT says. */
  #scan([cursor = '0', , pattern = '', , count = '10']: readonly string[]): Value {
    const matches = globTest(pattern)
    if (cursor === '0') this.#scanned = this.keys()
    const all = this.#scanned
    const from = Number(cursor)
    const to = from + Number(count)
    return [
      to < all.length ? String(to) : '0',
      all.slice(from, to).filter((key) => this.get(key) !== null && matches(key)),
    ]
  }

  #flush(): Value {
    this.#data.clear()
    for (const link of this.links) link.push(undefined)
    return 'OK'
  }

  /** A script's own writes are told to the connection that ran it too, as Redis 7.0 does. */
  #script(hash: string, keys: number, [key = '', ...args]: readonly string[]): Value {
    if (keys !== 1) throw new Error('The scripts of the cache use one key')
    const held = this.get(key)
    const [first = '', second = '', third = ''] = args
    if (hash === REPLACE.hash) {
      if (!(held ?? '').startsWith(first) || (held === null && first !== '')) return 0
      this.#set([key, second, 'PX', third], undefined)
      return 1
    }
    if (hash === RELEASE.hash) return held === first ? this.#delete(key, undefined) : 0
    if (hash === RENEW.hash) {
      if (held === first) this.#set([key, first, 'PX', second], undefined)
      return held === first ? 1 : 0
    }
    if (hash === TAG.hash) {
      const clock = String(Math.max(Number(held ?? 0), Number(first)))
      this.#set([key, clock, 'PX', second], undefined)
      return clock
    }
    if (hash === DELETE_OLD.hash)
      return held?.startsWith(first) === true && !held.startsWith(second) ? this.#delete(key, undefined) : 0
    if (hash === STATE.hash) return this.#state(key, held, args)
    throw new ReplyError('NOSCRIPT No matching script.', { executed: 'no' })
  }

  #state(
    key: string,
    held: string | null,
    [generation = '0', clock = '0', server = '', move = '']: readonly string[],
  ): Value {
    const [heldGeneration = '0', heldClock = '0', heldServer = ''] = (held ?? '').split(' ')
    let g = Math.max(Number(heldGeneration), Number(generation))
    let c = Math.max(Number(heldClock), Number(clock))
    if (g === 0) g = Math.floor(this.clock.wallNow() / 1000)
    const isOther = server !== '' && heldServer !== '' && heldServer !== server
    if (move === 'generation' || isOther) g += 1
    if (move === 'clock') c += 1
    const next = `${g} ${c} ${server === '' ? heldServer : server}`
    if (next !== held) this.#set([key, next], undefined)
    return [String(g), String(c), isOther ? 1 : 0]
  }

  #tell(key: string, by: FakeLink | undefined): void {
    for (const link of this.links) if (link !== by) link.push(key)
  }
}

export interface FakeLinkDelays {
  readonly requestMs: number
  readonly replyMs: number
  readonly pushMs: number
}

/** `silent`: requests arrive and nothing comes back; `deaf`: commands work, messages do not come; `cut`: known to be away. */
export type FakeLinkMode = 'up' | 'silent' | 'deaf' | 'cut' | 'untracked'

/** The link of one process. */
export class FakeLink {
  readonly name = 'fake'
  readonly nodes: readonly FakeLink[] = [this]
  readonly redis: FakeRedis
  readonly #clock: FakeClock
  readonly #healthListeners = new Set<(health: LinkHealth, before: LinkHealth) => void>()
  readonly #tracked = new Map<string, Listener>()
  permitsChannels = true
  delays: FakeLinkDelays = { requestMs: 0, replyMs: 0, pushMs: 0 }
  health: LinkHealth = {
    state: 'connecting',
    since: 0,
    reason: AWAY,
    can: { read: false, write: false, publish: false },
  }
  server: ServerIdentity | undefined
  #mode: FakeLinkMode = 'cut'
  #generation = 0

  constructor(redis: FakeRedis) {
    this.redis = redis
    this.#clock = redis.clock
    redis.links.add(this)
  }

  /** For a cache. */
  get asLink(): RedisLink {
    return this as unknown as RedisLink
  }

  get mode(): FakeLinkMode {
    return this.#mode
  }

  /** What is under way is lost by a cut; `up` after it is a new connection. */
  become(mode: FakeLinkMode): void {
    const before = this.#mode
    this.#mode = mode
    if (mode === 'cut') {
      this.#generation += 1
      this.#move('down', AWAY)
      this.#tellAll('deaf')
    } else if (mode === 'up' || mode === 'untracked') {
      if (before === 'silent') this.#generation += 1
      this.server = { runId: this.redis.runId, version: '7.0.15', role: 'master', clientId: 1, address: 'fake' }
      this.#move('up', FINE)
      this.#tellAll(mode === 'up' ? 'hearing' : 'refused')
    } else if (mode === 'deaf') this.#tellAll('deaf')
  }

  send(args: readonly Argument[], { deadlineMs = 250 }: SendOptions = {}): Promise<Value> {
    if (this.#mode === 'cut')
      return Promise.reject(new LinkError('LINK_UNAVAILABLE', 'Redis is not used now', { executed: 'no' }))
    const generation = this.#generation
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => reject(deadline()), deadlineMs)
      const answer = (settle: () => void): void => {
        this.#clock.at(this.#clock.now() + this.delays.replyMs, () => {
          if (this.#mode === 'silent' || generation !== this.#generation) return
          this.#clock.io(() => {
            this.#clock.clearTimer(timer)
            settle()
          })
        })
      }
      this.#clock.at(this.#clock.now() + this.delays.requestMs, () => {
        if (generation !== this.#generation) return
        try {
          const value = this.redis.run(args, this)
          answer(() => resolve(value))
        } catch (error) {
          answer(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      })
    })
  }

  /** Redis tells of a change. */
  push(key: string | undefined): void {
    const generation = this.#generation
    if (this.#mode !== 'up') return
    this.#clock.at(this.#clock.now() + this.delays.pushMs, () => {
      if (generation !== this.#generation || this.#mode !== 'up') return
      this.#clock.io(() => {
        for (const [prefix, listener] of this.#tracked)
          if (key === undefined) listener.invalidated(undefined)
          else if (key.startsWith(prefix)) listener.invalidated([Buffer.from(key)])
      })
    })
  }

  track(prefix: string, listener: Listener): { readonly state: 'hearing' | 'deaf' | 'refused'; close(): void } {
    this.#tracked.set(prefix, listener)
    if (this.#mode === 'up') this.#clock.io(() => listener.state('hearing', FINE))
    return { state: 'deaf', close: () => void this.#tracked.delete(prefix) }
  }

  subscribe(): { readonly ready: Promise<void>; close(): void } {
    const ready = this.permitsChannels
      ? Promise.resolve()
      : Promise.reject(new ReplyError('NOPERM', { executed: 'no' }))
    return { ready, close: () => undefined }
  }

  onHealth(listener: (health: LinkHealth, before: LinkHealth) => void): () => void {
    this.#healthListeners.add(listener)
    return () => void this.#healthListeners.delete(listener)
  }

  #move(state: LinkHealth['state'], reason: Reason): void {
    const before = this.health
    const works = state === 'up'
    this.health = { state, since: this.#clock.wallNow(), reason, can: { read: works, write: works, publish: works } }
    for (const listener of this.#healthListeners) listener(this.health, before)
  }

  #tellAll(state: 'hearing' | 'deaf' | 'refused'): void {
    for (const listener of this.#tracked.values()) listener.state(state, state === 'hearing' ? FINE : AWAY)
  }
}

function deadline(): LinkError {
  return new LinkError('LINK_DEADLINE', 'No answer.', { executed: 'maybe', retryable: true })
}
