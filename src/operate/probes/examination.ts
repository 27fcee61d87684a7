/**
 * One endpoint being looked at, layer after layer, within one budget of time that is kept whatever the endpoint does.
 */
import type { Clock } from '../../clock.ts'
import type { Finding, Layer, LayerName } from '../diagnosis.ts'

/** What a step saw. */
export interface Seen<Value> {
  readonly value: Value
  readonly detail: string
  readonly facts?: Layer['facts']
  /** It works, and yet somebody should know. */
  readonly warning?: Finding | undefined
}

/** Turns what a step threw into a finding, in at most `inquiryMs`. */
export type Explain = (error: unknown, inquiryMs: number) => Finding | Promise<Finding>

/** The budget ran out in the middle of a step. */
export class OutOfTime extends Error {
  constructor(ms: number) {
    super(`no answer within ${Math.round(ms)} ms`)
    this.name = 'OutOfTime'
  }
}

/** A layer failed and is noted down: there is nothing more to look at. */
export class NotServed extends Error {}

/** Some failures hide their cause; asking for it takes a moment, which is kept free at the end of the budget. */
const INQUIRY_MS = 500
const SHARE_FOR_INQUIRY = 0.3

export class Examination {
  readonly layers: Layer[] = []
  readonly clock: Clock
  readonly #inquiryMs: number
  readonly #stepsEndAt: number

  constructor(clock: Clock, budgetMs: number) {
    this.clock = clock
    this.#inquiryMs = Math.min(INQUIRY_MS, budgetMs * SHARE_FOR_INQUIRY)
    this.#stepsEndAt = clock.now() + budgetMs - this.#inquiryMs
  }

  /** What the steps have left. */
  get remainingMs(): number {
    return Math.max(1, this.#stepsEndAt - this.clock.now())
  }

  /** Looks at one layer and notes down what was seen; throws NotServed when it fails. */
  async look<Value>(name: LayerName, step: () => Promise<Seen<Value>>, explain: Explain): Promise<Value> {
    const startedAt = this.clock.now()
    const note = (layer: Pick<Layer, 'state' | 'detail' | 'facts' | 'finding'>): void =>
      void this.layers.push({ name, ms: this.clock.now() - startedAt, ...harmless(layer) })
    try {
      const { value, detail, facts = {}, warning } = await this.#inTime(step)
      note({ state: warning === undefined ? 'ok' : 'warning', detail, facts, finding: warning })
      return value
    } catch (error) {
      const finding = await explain(error, this.#inquiryMs)
      note({ state: 'failed', detail: finding.error ?? finding.meaning, facts: {}, finding })
      throw new NotServed(finding.meaning)
    }
  }

  async #inTime<Value>(step: () => Promise<Value>): Promise<Value> {
    const ms = this.remainingMs
    const late = Promise.withResolvers<never>()
    // After the sockets were read: an answer that came while this process was busy is in time.
    const timer = this.clock.setTimer(() => this.clock.afterIo(() => late.reject(new OutOfTime(ms))), ms)
    try {
      return await Promise.race([step(), late.promise])
    } finally {
      this.clock.clearTimer(timer)
      late.promise.catch(() => 'the step was faster')
    }
  }
}

const MAX_TEXT = 600

/** What a server says is shown on a terminal: it must not steer it, nor fill it. */
function harmless<Noted extends Pick<Layer, 'detail' | 'facts' | 'finding'>>(noted: Noted): Noted {
  const { detail, facts, finding } = noted
  const cleanFacts = Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'string' ? plain(fact) : fact])
  const error = finding?.error === undefined ? undefined : plain(finding.error)
  return {
    ...noted,
    detail: plain(detail),
    facts: Object.fromEntries(cleanFacts),
    finding: finding && { ...finding, error },
  }
}

/** Without control characters, escape sequences among them, and marks that turn the direction of writing. */
export function plain(text: string): string {
  const short = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`
  return short.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}
