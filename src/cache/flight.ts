/**
 * One key on its way into memory: at most one flight per key and process, however many callers wait for it.
 *
 *     GET ──fresh──▶ answer
 *      ├─ nothing, or of no use ─▶ lease ──▶ load ─▶ answer ─▶ store over the lease, and only over it
 *      ├─ a lease of another    ─▶ wait for its value, GET again
 *      └─ no answer, Redis away ─▶ load ─▶ answer; kept in memory alone
 *
 * A change of the key while the flight is on its way detaches it: callers who come later start anew. What it brings then is
 * given to those who had asked before, and not kept.
 */
import { ReplyError, type CacheError } from '../errors.ts'
import type { Reply } from '../link/index.ts'
import { Answer, errorOf, type Asker, type Copy } from './answer.ts'
import type { FlightCall, Load } from './cache.ts'
import { Claims } from './claims.ts'
import { UNCLAIMED, UNHEARD, type Found, type Hit, type Unheld } from './found.ts'
import { Loading, type LoadingFlight, type Phase } from './loading.ts'
import type { Parts } from './parts.ts'
import type { MemoryEntry } from './memory-store.ts'
import type { Reader } from './read-batch.ts'
import { storedIn, type RedisStore, type Stored } from './redis-store.ts'
import { Waker } from './waker.ts'

/** Without anybody to tell that the value has come, another process' lease is looked at after 4 ms, then ever less often. */
const POLL_MS = { first: 4, firstWhenTold: 50, cap: 50 }
/** A value that changes while it is read is read again, so often at most. */
const MAX_READS = 3
/** With a source that fails, a copy answers for so long before the source is asked again. */
const HOLD_OFF_MS = 1000

export class Flight<V> implements LoadingFlight<V>, Reader, Asker {
  readonly key: string
  readonly answer: Answer<V>
  readonly #parts: Parts<V>
  readonly call: FlightCall<V>
  #madeClaims: Claims | undefined
  #madeWaker: Waker | undefined
  readonly #epoch: number
  /** Began while a write of our own was on its way: what is read then is not known to stay. */
  readonly #unsure: boolean
  readonly began: LoadingFlight<V>['began']
  phase: Phase = 'reading'
  claimed = false
  fenced = false
  #stirred = false
  /** A copy that may have been changed unheard: not to be given unless Redis does not answer. */
  #doubtful: Copy<V> | undefined
  #answered = false
  #refused = false
  #answersBefore = 0
  echoed = false
  #abort: AbortController | undefined

  constructor(key: string, call: FlightCall<V>, parts: Parts<V>) {
    this.key = key
    this.call = call
    this.#parts = parts
    this.#epoch = parts.trust.epoch
    this.#unsure = parts.traffic.writing(key)
    const { clock, forgotten } = parts.tags
    this.began = { clock, forgotten, generation: parts.replay.generation }
    this.answer = new Answer(this, parts.settings, parts.counters)
  }

  /** Most flights end with the first answer and need neither. */
  get claims(): Claims {
    return (this.#madeClaims ??= new Claims(this.key, this.#parts))
  }

  get #waker(): Waker {
    return (this.#madeWaker ??= new Waker(this.#parts.settings.clock))
  }

  /** Made when a load asks for it. */
  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  get loads(): boolean {
    return this.call.load !== undefined
  }

  /** Does it load without a lease that a change of the key would end? */
  get unclaimed(): boolean {
    return this.phase === 'loading' && !this.claimed
  }

  /** Begins; `copy` is what memory holds, its time passed or not known to be true. */
  start(copy: MemoryEntry<V> | undefined): void {
    const { redis, trust, journal } = this.#parts
    const asks = redis !== undefined && trust.usable && !journal.holds(this.key)
    if (copy !== undefined) {
      this.#doubtful = { value: copy.value, freshUntil: copy.freshUntil }
      const tagged = copy.tags !== undefined && !this.#parts.tags.assure(copy.tags)
      if (!asks || (copy.epoch === this.#epoch && trust.hears && !tagged)) this.#believe()
    }
    if (asks) this.#ask(redis)
    else void this.#fly(false)
  }

  /** Loads a value anew that is still good, when no other process does; nobody waits for it. */
  refresh(load: Load<V>, seen: string): void {
    this.leave()
    void this.#refresh(load, seen)
  }

  /** One caller more. */
  join(signal: AbortSignal | undefined): Promise<V | undefined> {
    return this.answer.join(signal)
  }

  /** Whoever asks from now on wants a load that is not given up. */
  deserted(reason: unknown): void {
    this.#parts.traffic.detach(this)
    this.#giveUp(reason)
  }

  /** Nobody who asked waits for it: he was given a copy. It is wanted all the same. */
  leave(): void {
    this.answer.join(undefined).catch(() => 'a copy was given')
  }

  /** The key was changed by this process: what the flight brings is not kept. */
  fence(): void {
    this.fenced = true
    this.forgetCopies()
    this.#madeWaker?.wake()
  }

  /** Redis tells that the key was changed, perhaps by this flight's own script. Returns whether later callers may still join. */
  stir(): boolean {
    if (this.phase !== 'storing') this.forgetCopies()
    if (this.phase === 'reading') this.#stirred = true
    else if (this.phase === 'waiting') this.#waker.wake()
    else this.echoed = true
    return this.phase === 'reading' || this.phase === 'waiting'
  }

  /** Everything may have changed. */
  cancel(error: CacheError): void {
    this.fenced = true
    this.#giveUp(error)
    this.answer.fail(error)
    this.#waker.wake()
  }

  // --- the way --------------------------------------------------------------------------------------------------

  /** The first question, whose usual answer ends the flight: no more promises than that takes. */
  #ask(redis: RedisStore): void {
    this.#answersBefore = this.#parts.trust.answers
    redis.read(this.key, this)
  }

  /** To the first question. */
  replied(reply: Reply): void {
    this.#hit(storedIn(reply))
  }

  /** To the first question. */
  unanswered(error: unknown): void {
    this.#unanswered(error, this.#answersBefore)
    void this.#fly(true, 'unanswered')
  }

  #hit(stored: Stored): void {
    this.#parts.trust.answered()
    if (this.#stirred || stored.kind !== 'value' || stored.header.tags.length > 0) {
      void this.#fly(true, this.#stirred ? undefined : stored)
      return
    }
    this.#answered = true
    this.#doubtful = undefined
    try {
      const found = this.#judge(stored)
      if (found === undefined) void this.#fly(true, stored, true)
      else this.#land(() => this.answer.give(found.value))
    } catch (error) {
      this.#land(() => this.#fail(error))
    }
  }

  #giveUp(reason: unknown): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }

  #land(tell: () => void): void {
    tell()
    this.phase = 'over'
    this.#parts.traffic.landed(this)
  }

  #unanswered(error: unknown, answersBefore: number): void {
    this.#refused = error instanceof ReplyError
    this.#parts.counters.l2Errors += 1
    this.#parts.trust.failed(error, answersBefore)
  }

  async #fly(asks: boolean, first?: Stored | 'unanswered', judged = false): Promise<void> {
    const { traffic } = this.#parts
    try {
      const found = asks ? await this.#look(first, judged) : UNCLAIMED
      if (found.kind === 'value') this.answer.give(found.value)
      else if (this.call.load === undefined) this.#giveWithoutLoad(asks)
      else await this.#load(this.call.load, found)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.phase = 'over'
      traffic.landed(this)
    }
  }

  /** Whoever joins a load must get what is as new as his question: Redis has to tell of a change, unless it is away. */
  #load(load: Load<V>, { claim, unheard }: Unheld): Promise<void> {
    const { traffic, trust } = this.#parts
    if (this.#abort?.signal.aborted === true) {
      this.claims.release(claim)
      return Promise.reject(errorOf(this.#abort.signal))
    }
    if (this.#stirred) this.echoed = true
    if (this.#stirred || (unheard && trust.usable)) traffic.detach(this)
    return new Loading(this, this.#parts).run(load, claim)
  }

  /** Redis does not say otherwise: the copy may be given. */
  #believe(): void {
    if (this.#doubtful !== undefined) this.answer.hold(this.#doubtful)
    this.#doubtful = undefined
  }

  /** The copy in hand is of no use any more. */
  forgetCopies(): void {
    this.#doubtful = undefined
    this.answer.forgetCopy()
  }

  /** Nothing better is to be had; what Redis does not hold is not there, whatever memory holds. */
  #giveWithoutLoad(asked: boolean): void {
    const copy = asked && this.#answered ? undefined : this.answer.standIn
    if (copy === undefined) this.answer.give(undefined)
    else this.answer.giveCopy(copy)
  }

  async #refresh(load: Load<V>, seen: string): Promise<void> {
    const { traffic, counters } = this.#parts
    try {
      const claim = await this.claims.guard(seen)
      if (claim === undefined) return
      counters.loadsEarly += 1
      await new Loading(this, this.#parts).run(load, claim)
    } catch (error) {
      // What the load throws is counted where it is run; a Redis that does not answer shows in the health.
      this.#fail(error)
    } finally {
      this.phase = 'over'
      traffic.landed(this)
    }
  }

  /** Looks at Redis until there is a value, or it is ours to load. */
  async #look(first: Stored | 'unanswered' | undefined, judged: boolean): Promise<Found<V>> {
    const { settings, trust } = this.#parts
    const until = settings.clock.now() + settings.lease.waitMs
    let pollMs = trust.hears ? POLL_MS.firstWhenTold : POLL_MS.first
    let known = first
    let rereads = 0
    let waited = false
    for (let waits = 0; ; waits++) {
      const stored = known === 'unanswered' ? undefined : (known ?? (await this.#read()))
      known = undefined
      const tags =
        stored?.kind === 'value' ? await this.#parts.upkeep.learnTags(stored.header.tags) : ('known' as const)
      if (stored === undefined || tags === 'unanswered' || (tags === 'asked' && rereads >= MAX_READS)) {
        this.#believe()
        // A refusal is an answer: as many loads as there are callers would not be less refused.
        return this.#refused ? UNCLAIMED : UNHEARD
      }
      // What tells of a deleted tag may have been flushed since the value was read: then the value is gone as well.
      if (tags === 'asked') {
        rereads += 1
        continue
      }
      // Its tags were asked for after it, and something has happened to it or to them in between.
      if (this.#stirred && rereads++ < MAX_READS) continue
      this.#answered = true
      this.#doubtful = undefined
      const value = judged && waits === 0 ? undefined : this.#judge(stored)
      if (value !== undefined) {
        if (waited) this.#parts.counters.loadsLeftToOthers += 1
        return value
      }
      if (this.call.load === undefined) return UNCLAIMED
      if (stored.kind !== 'lease') {
        const claim = await this.claims.take(stored, stored.kind === 'value' && this.answer.copy !== undefined)
        if (claim !== 'taken') return { kind: 'none', claim }
        // Whoever had it has failed, and now others try: one more turn of waiting would make the last of them wait long.
        if (waits > 0) return UNCLAIMED
      }
      if (settings.clock.now() >= until || this.fenced || !trust.usable) return UNCLAIMED
      this.phase = 'waiting'
      waited = true
      await this.#waker.sleep(Math.min(pollMs, until - settings.clock.now()))
      pollMs = Math.min(POLL_MS.cap, pollMs * 2)
    }
  }

  /** What Redis holds, read so that nothing changed under way; undefined: no answer. */
  async #read(): Promise<Stored | undefined> {
    const { redis, trust } = this.#parts
    for (let reads = 1; ; reads++) {
      this.phase = 'reading'
      this.#stirred = false
      const { answers } = trust
      try {
        const reply = redis === undefined ? null : await replyTo(redis, this.key)
        trust.answered()
        if (this.#stirred && reads < MAX_READS) continue
        return storedIn(reply)
      } catch (error) {
        this.#unanswered(error, answers)
        return undefined
      }
    }
  }

  /** A good value is kept and returned; one whose time has passed stays in hand. */
  #judge(stored: Stored): Hit<V> | undefined {
    const { counters, upkeep } = this.#parts
    if (stored.kind !== 'value') {
      if (stored.kind === 'foreign') upkeep.undecodable(this.key, 'Redis holds something that is no value of ours')
      counters.l2Misses += 1
      return undefined
    }
    const opened = upkeep.open(this.key, stored)
    if (opened === undefined) {
      counters.l2Misses += 1
      return undefined
    }
    if (opened.remainingMs <= 0) {
      this.answer.hold({ value: opened.value, freshUntil: this.#now() + opened.remainingMs })
      counters.l2Misses += 1
      return undefined
    }
    counters.l2Hits += 1
    if (!this.fenced) {
      const certain = !this.#stirred && !this.#unsure && this.#parts.trust.hears
      upkeep.keepRead(this.key, opened, certain ? this.#epoch : 'unverified')
      this.#parts.refreshEarly(this, opened, stored.seen)
    }
    return { kind: 'value', value: opened.value }
  }

  /** A copy stands in for a while; else everybody who waits gets the error, at once. */
  #fail(error: unknown): void {
    const copy = this.fenced ? undefined : this.answer.standIn
    if (copy === undefined) this.answer.fail(error)
    else {
      this.#parts.upkeep.holdOff(this.key, HOLD_OFF_MS)
      this.answer.giveCopy(copy)
    }
  }

  #now(): number {
    return this.#parts.settings.clock.now()
  }
}

function replyTo(redis: RedisStore, key: string): Promise<Reply> {
  return new Promise((replied, unanswered) => redis.read(key, { replied, unanswered }))
}
