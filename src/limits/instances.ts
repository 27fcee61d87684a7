/**
 * How many processes share the limits: each reports itself in Redis every few seconds while Redis serves. When it goes, the last
 * number counted says which share of a limit each process may go on with.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import { Script, type RedisLink } from '../link/index.ts'

export interface InstancesOptions {
  readonly link: RedisLink
  readonly clock: Clock
  /** Of the sorted set in Redis. */
  readonly key: string
  /** Names this process among its siblings. */
  readonly id: string
  /** How many there are before they could ever be counted. */
  readonly expected: number
}

/** KEYS[1] ids by the time they were last heard; ARGV: id, how long a silent one still counts. */
const REPORT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - life)
redis.call('PEXPIRE', KEYS[1], 2 * life)
return redis.call('ZCARD', KEYS[1])`

const EVERY_MS = 5000
/** Two reports may get lost. */
const LIFE_MS = 3 * EVERY_MS + 1000
const DEADLINE_MS = 500

export class Instances {
  readonly #options: InstancesOptions
  readonly #script: Script
  #count: number | undefined
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: InstancesOptions) {
    this.#options = options
    this.#script = new Script(REPORT, options.clock)
  }

  /** As last counted, this one included; at least 1. */
  get count(): number {
    return Math.max(1, this.#count ?? this.#options.expected)
  }

  /** Reports now, and from then on every few seconds. */
  start(): void {
    if (this.#timer !== undefined || this.#closed) return
    void this.#report()
  }

  /** The link serves again: who is there counts at once. */
  linked(): void {
    this.#clearTimer()
    this.start()
  }

  /** Takes this process off the list if that can be said now; waits for nothing. */
  close(): void {
    this.#closed = true
    this.#clearTimer()
    const { link, key, id } = this.#options
    // Not said, the entry ends by itself.
    if (this.#count !== undefined && link.health.can.write)
      link.send(['ZREM', key, id], { deadlineMs: DEADLINE_MS }).catch(() => undefined)
  }

  async #report(): Promise<void> {
    const { link, clock, key, id } = this.#options
    this.#timer = clock.setTimer(() => void this.#report(), EVERY_MS)
    if (!link.health.can.write) return
    const call = { keys: [key], args: [id, String(LIFE_MS)], deadlineMs: DEADLINE_MS }
    // Not counted this time: the number of the last time stands.
    const reply = await this.#script.run(link, call).catch(() => undefined)
    if (typeof reply === 'number') this.#count = reply
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }
}
