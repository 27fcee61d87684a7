/** Sealed copies of sessions, handed out while all is well and taken when nobody else can answer: which count, and how many did. */
import type { Clock } from '../clock.ts'
import { channels } from '../telemetry/channels.ts'
import type { SessionRecord } from './record.ts'
import { labelOf, Sealer, type CheckedSealOptions } from './seal.ts'

/** A copy for a cookie, and how long that should live; `kept`: the one that was shown is as good. */
export type SealedCopy = { readonly text: string; readonly lifeMs: number } | 'kept' | 'none'

export interface SealStats {
  /** Copies handed out. */
  readonly sealed: number
  /** Copies that served where nobody else could answer. */
  readonly unsealed: number
  /** Copies that were over, older than what is known here, of another session or secret, or tampered with. */
  readonly sealsRefused: number
  /** Sessions that were too large for a cookie; they have no copy. */
  readonly sealsTooLarge: number
}

export const NO_SEALS: SealStats = { sealed: 0, unsealed: 0, sealsRefused: 0, sealsTooLarge: 0 }

/** Browsers drop a cookie beyond 4,096 bytes; its name and attributes need room too. */
const MAX_LENGTH = 3800
/** Handed out again when the one that was shown has lost this share of its life. */
const RENEW_SHARE = 0.1

export interface SealedCopiesOptions {
  readonly seal: CheckedSealOptions
  readonly prefix: string
  readonly clock: Pick<Clock, 'wallNow'>
}

export class SealedCopies {
  readonly #sealer: Sealer
  readonly #lifeMs: number
  readonly #clock: Pick<Clock, 'wallNow'>
  #stats: SealStats = NO_SEALS

  constructor({ seal, prefix, clock }: SealedCopiesOptions) {
    this.#sealer = new Sealer(seal.secrets, prefix)
    this.#lifeMs = seal.lifeMs
    this.#clock = clock
  }

  get stats(): SealStats {
    return this.#stats
  }

  /** A copy of what this process knows of a session; `shown` is the one that the browser has. */
  copy(record: SessionRecord | undefined, shown: string | undefined): SealedCopy {
    if (record?.text === undefined) return 'none'
    const now = this.#clock.wallNow()
    const { id, version, expiresAt, text, confirmedAt = 0, servedUntil = confirmedAt + this.#lifeMs } = record
    const until = Math.min(servedUntil, expiresAt)
    if (until <= now) return 'none'
    if (shown !== undefined && this.#isAsGood(shown, { version, until, expiresAt })) return 'kept'
    const sealed = this.#sealer.seal({ id, version, expiresAt: Math.ceil(expiresAt), text }, Math.ceil(until))
    if (sealed.length > MAX_LENGTH) return this.#tooLarge(sealed.length)
    this.#count('sealed')
    return { text: sealed, lifeMs: until - now }
  }

  /** The record that counts while nobody else can answer: what this process knows, or the copy when that is newer. */
  choose(known: SessionRecord | undefined, id: string, shown: string | undefined): SessionRecord | undefined {
    const now = this.#clock.wallNow()
    const knownServes = known !== undefined && (known.servedUntil ?? Infinity) > now
    if (shown !== undefined && labelOf(shown)?.version === known?.version && knownServes) return known
    const copy = shown === undefined ? undefined : this.#taken(known, id, shown)
    return copy ?? (knownServes ? known : undefined)
  }

  #taken(known: SessionRecord | undefined, id: string, shown: string): SessionRecord | undefined {
    const now = this.#clock.wallNow()
    const copy = this.#sealer.open(id, shown)
    const isOver = copy === undefined || copy.expiresAt <= now || (copy.servedUntil ?? 0) <= now
    if (isOver || isNewer(known, copy)) {
      this.#count('sealsRefused')
      return undefined
    }
    this.#count('unsealed')
    return copy
  }

  #isAsGood(
    shown: string,
    wanted: { readonly version: number; readonly until: number; readonly expiresAt: number },
  ): boolean {
    const label = labelOf(shown)
    if (label?.version !== wanted.version) return false
    const share = this.#lifeMs * RENEW_SHARE
    return wanted.until - label.until < share && Math.abs(wanted.expiresAt - label.expiresAt) < share
  }

  #tooLarge(length: number): 'none' {
    if (this.#stats.sealsTooLarge === 0) {
      const message = `A session is too large for a sealed cookie (${length} characters, up to ${MAX_LENGTH} fit): it has no copy to go on with while Redis is away. More of them are counted and not told.`
      channels.notice.publish({ source: 'sessions', level: 'warn', message })
    }
    this.#count('sealsTooLarge')
    return 'none'
  }

  #count(what: keyof SealStats): void {
    this.#stats = { ...this.#stats, [what]: this.#stats[what] + 1 }
  }
}

/** Logged out, or changed since the copy was made. */
function isNewer(known: SessionRecord | undefined, copy: SessionRecord): boolean {
  return known !== undefined && (known.text === undefined || known.version > copy.version)
}
