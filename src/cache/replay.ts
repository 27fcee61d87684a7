/**
 * What Redis is told when it is back, before it is believed: which generation of values counts, and what changed meanwhile.
 *
 * The generation is a number that every value carries. Moving it on makes all older values misses at once, in every process:
 * when the journal has overflowed, or when the server is another process than the one that took the last writes. It is kept in
 * one key with the clock of the tags; whoever knows a higher number than the key holds restores it, so that neither an
 * eviction nor an old snapshot brings dropped values back.
 */
import type { RedisLink } from '../link/index.ts'
import { Script } from '../link/index.ts'
import type { Journal } from './journal.ts'
import type { KeyNames } from './keys.ts'
import type { AfterRestart } from './options.ts'
import type { Tags } from './tags.ts'
import { createHash } from 'node:crypto'

/**
 * ARGV: known generation, known clock, id of the server ('' unknown or of no interest), what to move on ('', 'generation', 'clock').
 * Returns generation, clock, and 1 when this call found another server. Nobody knows any: the server's seconds, beyond whatever was used before.
 */
export const STATE = new Script(`local g, c, r = 0, 0, ''
local held = redis.call('GET', KEYS[1])
if held then
  local a, b, d = string.match(held, '^(%d+) (%d+) (%S*)$')
  if a then g, c, r = tonumber(a), tonumber(b), d end
end
g, c = math.max(g, tonumber(ARGV[1])), math.max(c, tonumber(ARGV[2]))
if g == 0 then g = tonumber(redis.call('TIME')[1]) end
local other = ARGV[3] ~= '' and r ~= '' and r ~= ARGV[3]
if ARGV[4] == 'generation' or other then g = g + 1 end
if ARGV[4] == 'clock' then c = c + 1 end
if ARGV[3] ~= '' then r = ARGV[3] end
local next = string.format('%.0f %.0f %s', g, c, r)
if next ~= held then redis.call('SET', KEYS[1], next) end
return {string.format('%.0f', g), string.format('%.0f', c), other and 1 or 0}`)

/** Notes that a tag was deleted at clock ARGV[1], for ARGV[2] ms; of two that delete it at once the later clock stays, and is returned. */
export const TAG = new Script(`local held = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local clock = string.format('%.0f', math.max(held, tonumber(ARGV[1])))
redis.call('SET', KEYS[1], clock, 'PX', ARGV[2])
return clock`)

export interface ReplayOptions {
  readonly link: RedisLink | undefined
  readonly names: KeyNames
  readonly journal: Journal
  readonly tags: Tags
  readonly afterRestart: AfterRestart
  readonly deadlineMs: number
  /** How long a deleted tag is remembered: longer than any value with it may live. */
  readonly tagLifeMs: number
  /** Redis was told that the key changed: a copy in memory must be asked for. */
  readonly told: (key: string) => void
  /** Tells processes that hear by messages. */
  readonly publish: (name: string) => void
  /** Changes by others may have been missed. */
  readonly doubted: () => void
  /** Values of an older generation are of no use to anybody. */
  readonly superseded: () => void
  /** The same, and Redis is to be rid of them; told to one process of all. */
  readonly outdated: () => void
}

/** `partly`: Redis may be used, but not all keys could be told. */
export type ReplayOutcome = 'done' | 'partly' | 'failed'

/** Keys told at once. */
const BATCH = 500

export class Replay {
  readonly #options: ReplayOptions
  #generation = 0

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** Values of any other one are misses. */
  get generation(): number {
    return this.#generation
  }

  /** Everything may have changed. */
  everything(): void {
    this.#options.journal.noteAll()
  }

  /** Changes may have been missed. */
  doubt(): void {
    this.#options.tags.doubtAll()
    this.#options.doubted()
  }

  async run(): Promise<ReplayOutcome> {
    try {
      await this.#state()
      await this.#tags()
    } catch {
      // The link says why; it is tried again.
      return 'failed'
    }
    return (await this.#keys()) ? 'done' : 'partly'
  }

  /** Moves the clock of the tags on and notes the deletion; whoever reads a value with the tag finds it. */
  async deleteTag(tag: string): Promise<void> {
    const { link, names, tags, deadlineMs, tagLifeMs, publish } = this.#options
    if (link === undefined) return
    const clock = await this.#move('clock')
    const name = names.tag(tag)
    const { forgotten } = tags
    const deletedAt = await TAG.run(link, { keys: [name], args: [String(clock), String(tagLifeMs)], deadlineMs })
    // Somebody else may have deleted it after us, and the message of that has overtaken the answer: then it is asked for.
    if (forgotten === tags.forgotten) tags.learned(tag, Number(deletedAt))
    else tags.heard(tag, clock)
    publish(name)
  }

  async #state(): Promise<void> {
    const ticket = this.#options.journal.all
    await this.#move(ticket === undefined ? '' : 'generation')
    if (ticket !== undefined) this.#options.journal.settleAll(ticket)
  }

  /** Returns the clock. */
  async #move(what: '' | 'generation' | 'clock'): Promise<number> {
    const { link, names, tags, deadlineMs, publish } = this.#options
    if (link === undefined) return tags.clock
    const args = [String(this.#generation), String(tags.clock), this.#server, what]
    const reply = await STATE.run(link, { keys: [names.state], args, deadlineMs })
    const [generation, clock, isOther] = Array.isArray(reply) ? reply.map(Number) : []
    if (generation === undefined || clock === undefined)
      throw new Error('The state of the namespace is no pair of numbers')
    const known = this.#generation
    this.#generation = Math.max(known, generation)
    if (known !== 0 && known !== this.#generation) this.#options.superseded()
    tags.heardClock(clock)
    if (what !== '') publish(names.state)
    if (isOther === 1 && this.#options.afterRestart === 'flush') this.#options.outdated()
    return clock
  }

  /** A short name for who answers; '' where it does not matter or nobody knows. */
  get #server(): string {
    const { link, afterRestart } = this.#options
    const runId = link?.server?.runId
    if (afterRestart === 'replay' || runId === undefined) return ''
    return createHash('sha1').update(runId).digest('hex').slice(0, 16)
  }

  async #tags(): Promise<void> {
    const { journal } = this.#options
    for (const [tag, ticket] of journal.tags()) {
      await this.deleteTag(tag)
      journal.settleTag(tag, ticket)
    }
  }

  /** False when some could not be told: they stay in the journal, and their values in Redis are not used. */
  async #keys(): Promise<boolean> {
    const { journal } = this.#options
    const keys = journal.keys()
    for (let from = 0; from < keys.length; from += BATCH) {
      const outcomes = await Promise.all(keys.slice(from, from + BATCH).map(([key, ticket]) => this.#tell(key, ticket)))
      if (outcomes.includes(false)) return false
    }
    return journal.keys().length === 0
  }

  async #tell(key: string, ticket: number): Promise<boolean> {
    const { link, names, journal, deadlineMs, told, publish } = this.#options
    const name = names.entry(key)
    try {
      await link?.send(['UNLINK', name], { deadlineMs })
    } catch {
      // It stays in the journal; the link says why.
      return false
    }
    told(key)
    journal.settle(key, ticket)
    publish(name)
    return true
  }
}
