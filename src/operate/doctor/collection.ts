/** Evidence being collected: every source once, none longer than there is time, and none that spoils the others. */
import type { Clock } from '../../clock.ts'
import { describeError } from '../../link/index.ts'
import { failed, type Evidence } from '../evidence.ts'
import type { EvidenceContext, EvidenceName, EvidenceValues, Sources } from './evidence/context.ts'

export type Parts = Omit<EvidenceContext, 'evidence' | 'remainingMs'> & { readonly endsAt: number }

export class Collection implements EvidenceContext {
  readonly target: EvidenceContext['target']
  readonly server: EvidenceContext['server']
  readonly serverAt: EvidenceContext['serverAt']
  readonly host: EvidenceContext['host']
  readonly hints: EvidenceContext['hints']
  readonly clock: Clock
  readonly #endsAt: number
  readonly #sources: Sources<EvidenceValues>
  readonly #begun = new Map<EvidenceName, Promise<unknown>>()

  constructor(parts: Parts, sources: Sources<EvidenceValues>) {
    this.target = parts.target
    this.server = parts.server
    this.serverAt = parts.serverAt
    this.host = parts.host
    this.hints = parts.hints
    this.clock = parts.clock
    this.#endsAt = parts.endsAt
    this.#sources = sources
  }

  get remainingMs(): number {
    return Math.max(1, this.#endsAt - this.clock.now())
  }

  readonly evidence = <Name extends EvidenceName>(name: Name): Promise<Evidence<EvidenceValues[Name]>> => {
    const begun = this.#begun.get(name) ?? this.#inTime(name)
    this.#begun.set(name, begun)
    // The map holds under each name what the source of that name has returned.
    return begun as Promise<Evidence<EvidenceValues[Name]>>
  }

  async #inTime<Name extends EvidenceName>(name: Name): Promise<Evidence<EvidenceValues[Name]>> {
    const { reads, collect } = this.#sources[name]
    const ms = this.remainingMs
    const late = Promise.withResolvers<Evidence<never>>()
    const giveUp = (): void => late.resolve(failed(`${reads}: no answer within ${Math.round(ms)} ms`))
    const timer = this.clock.setTimer(() => this.clock.afterIo(giveUp), ms)
    try {
      return await Promise.race([collect(this), late.promise])
    } catch (error) {
      return failed(`${reads}: ${describeError(error)}`)
    } finally {
      this.clock.clearTimer(timer)
    }
  }
}
