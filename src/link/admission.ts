/**
 * Who is let through when not everything is: the few probes of a brownout, the growing share after repeated outages,
 * reads (and what frees memory) while writes are blocked.
 */
import type { Random } from '../clock.ts'
import type { CommandInfo } from './commands/commands.ts'
import type { LinkHealth } from './health.ts'
import type { LinkSettings } from './settings.ts'

export class Admission {
  readonly #settings: LinkSettings
  readonly #random: Random
  #nextProbeAt = -Infinity
  #rampStartedAt: number | undefined

  constructor(settings: LinkSettings, random: Random) {
    this.#settings = settings
    this.#random = random
  }

  /** A new state begins; `rampStartedAt` is when the hold after repeated outages will have ended. */
  reset(rampStartedAt?: number): void {
    this.#nextProbeAt = -Infinity
    this.#rampStartedAt = rampStartedAt
  }

  /** May this command be sent in this health? */
  admits(health: LinkHealth, command: CommandInfo, now: number): boolean {
    const { state, reason } = health
    if (state === 'up') return true
    if (state === 'brownout') return this.#probe(now)
    if (state === 'recovering') return this.#ramp(now)
    if (state !== 'write-blocked') return false
    return command.kind === 'read' || (reason.code === 'out-of-memory' && !command.denyOom)
  }

  #probe(now: number): boolean {
    if (now < this.#nextProbeAt) return false
    this.#nextProbeAt = now + this.#settings.brownout.probeEveryMs
    return true
  }

  #ramp(now: number): boolean {
    if (this.#rampStartedAt === undefined) return false
    const since = now - this.#rampStartedAt
    if (since < 0) return false
    const step = this.#settings.ramp.find(({ untilMs }) => since < untilMs)
    return step === undefined || this.#random() < step.share
  }
}
