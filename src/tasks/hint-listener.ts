/**
 * The worker's ear at Redis: waits in BLMPOP for ids, as many as there are free hands, and comes and goes with the link.
 */
import type { Clock } from '../clock.ts'
import { LinkError, ReplyError } from '../errors.ts'
import type { BlockingLane, RedisLink, Reply } from '../link/index.ts'
import { isUuid } from './uuid7.ts'

/** How long one BLMPOP waits inside the server. */
const BLOCK_MS = 2000
const BLOCK_S = String(BLOCK_MS / 1000)
/** After a failure, unless the link's health changes before. */
const PAUSE_MS = 500
/** Ids asked for at most, when those that came were all stale. */
const STALE_AT_ONCE = 500

export interface HintListenerOptions {
  readonly link: RedisLink
  readonly clock: Clock
  readonly key: string
  /** How many ids are wanted now; 0: none until `resume()`. */
  readonly capacity: () => number
  readonly onIds: (ids: readonly string[]) => void
}

export class HintListener {
  readonly #options: HintListenerOptions
  #lane: BlockingLane | undefined
  #running = false
  #flowing = false
  /** Servers before 7.0 know no BLMPOP. */
  #old = false
  #atOnce = 0
  #gaveBack = false
  #wake: (() => void) | undefined
  #stopHealth: (() => void) | undefined

  constructor(options: HintListenerOptions) {
    this.#options = options
  }

  /** Do hints arrive? */
  get flowing(): boolean {
    return this.#flowing
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#stopHealth = this.#options.link.onHealth(() => this.#healthChanged())
    void this.#listen()
  }

  /** There are free hands again. */
  resume(): void {
    this.#wake?.()
  }

  /** What was heard was old news: the list may hold much more of it, so ask for more at once. */
  stale(count: number): void {
    this.#atOnce = Math.min(STALE_AT_ONCE, Math.max(this.#atOnce, count) * 2)
  }

  fresh(): void {
    this.#atOnce = 0
  }

  close(): void {
    this.#running = false
    this.#flowing = false
    this.#stopHealth?.()
    this.#lane?.close()
    this.#lane = undefined
    this.#wake?.()
  }

  #healthChanged(): void {
    if (!this.#options.link.health.can.write) this.#flowing = false
    this.#wake?.()
  }

  /** While Redis is let in step by step, some hints come already. */
  get #serves(): boolean {
    const { can, state } = this.#options.link.health
    return can.write || state === 'recovering'
  }

  async #listen(): Promise<void> {
    while (this.#running) {
      const count = this.#options.capacity()
      if (count === 0 || !this.#serves) await this.#pause(undefined)
      else if (!(await this.#ask(Math.max(count, this.#atOnce)))) await this.#pause(PAUSE_MS)
    }
  }

  /** False when it failed. */
  async #ask(count: number): Promise<boolean> {
    try {
      this.#lane ??= this.#options.link.blocking()
      const ids = await (this.#old ? this.#popOne(this.#lane, count) : this.#popMany(this.#lane, count))
      this.#flowing = this.#running && this.#options.link.health.can.write
      if (ids.length > 0) this.#hear(ids)
      return true
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      if (isUnknownCommand(error) && !this.#old) {
        this.#old = true
        return true
      }
      this.#flowing = false
      return false
    }
  }

  /**
   * While the answer was waited for, the hands may have been filled otherwise: what is too much goes back, in its old place, for a
   * worker that has a hand free. Not twice in a row, and not while what comes is old news: else nobody would ever get rid of it.
   */
  #hear(ids: readonly string[]): void {
    const room = this.#options.capacity()
    const keepsAll = this.#gaveBack || this.#atOnce > 0 || room >= ids.length
    this.#gaveBack = !keepsAll
    if (keepsAll || room > 0) this.#options.onIds(keepsAll ? ids : ids.slice(0, room))
    if (!keepsAll) this.#giveBack(ids.slice(room))
  }

  #giveBack(ids: readonly string[]): void {
    const { link, key, onIds } = this.#options
    // Those who ask take from the right, and the first of these is the oldest. Redis may have them twice then, or not at all.
    link.send(['RPUSH', key, ...ids.toReversed()]).catch(() => onIds(ids))
  }

  async #popMany(lane: BlockingLane, count: number): Promise<string[]> {
    const args = ['BLMPOP', BLOCK_S, '1', this.#options.key, 'RIGHT', 'COUNT', String(count)]
    const reply = await lane.send(args, { blockMs: BLOCK_MS })
    return idsIn(Array.isArray(reply) ? reply[1] : null)
  }

  async #popOne(lane: BlockingLane, count: number): Promise<string[]> {
    const { link, key } = this.#options
    const reply = await lane.send(['BRPOP', key, BLOCK_S], { blockMs: BLOCK_MS })
    if (!Array.isArray(reply)) return []
    const first = idsIn([reply[1] ?? null])
    return count > 1 ? [...first, ...idsIn(await link.send(['RPOP', key, String(count - 1)]))] : first
  }

  #pause(limitMs: number | undefined): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      const timer = limitMs === undefined ? undefined : clock.setTimer(() => this.#wake?.(), limitMs)
      this.#wake = () => {
        this.#wake = undefined
        if (timer !== undefined) clock.clearTimer(timer)
        resolve()
      }
    })
  }
}

function isUnknownCommand(error: LinkError): boolean {
  return error instanceof ReplyError && /^ERR unknown command/i.test(error.message)
}

function idsIn(reply: Reply | undefined): string[] {
  return Array.isArray(reply) ? reply.map(String).filter(isUuid) : []
}
