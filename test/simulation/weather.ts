/** What is wrong now, what was lately, and since when nothing is. */
import type { FakeClock } from '../support/fake-clock.ts'
import type { Severity, SimulatedFault } from './faults.ts'

/** Something that is, or was, not as it should be. */
export interface Trouble {
  readonly name: string
  readonly severity: Severity
  readonly severityAtFirst: Severity
  /** Codes under which the link may report it. */
  readonly codes: readonly string[]
  readonly from: number
  /** For how long nothing had been wrong. */
  readonly calmBeforeMs: number
  /** Infinity while it lasts. */
  to: number
}

export class Weather {
  readonly #clock: FakeClock
  readonly #onCalm: () => void
  readonly #troubles: Trouble[] = []
  #active = 0
  #calmSince = 0

  constructor(clock: FakeClock, onCalm: () => void) {
    this.#clock = clock
    this.#onCalm = onCalm
  }

  /** Since when nothing is wrong; Infinity while something is. */
  get calmSince(): number {
    return this.#calmSince
  }

  get calmMs(): number {
    return this.#clock.now() - this.#calmSince
  }

  begin(name: string, fault: Omit<SimulatedFault, 'begin'>): Trouble {
    const { severity, severityAtFirst = severity, codes } = fault
    const trouble: Trouble = {
      name,
      severity,
      severityAtFirst,
      codes,
      from: this.#clock.now(),
      to: Infinity,
      calmBeforeMs: this.calmMs,
    }
    this.#troubles.push(trouble)
    this.#active += 1
    this.#calmSince = Infinity
    return trouble
  }

  end(trouble: Trouble): void {
    trouble.to = this.#clock.now()
    this.#active -= 1
    if (this.#active > 0) return
    this.#calmSince = this.#clock.now()
    this.#onCalm()
  }

  /** Does it go on, and was nothing else wrong since it began? */
  isAlone(trouble: Trouble): boolean {
    return trouble.to === Infinity && this.since(trouble.from).length === 1
  }

  /** Everything that was wrong at some time from then on. */
  since(moment: number): readonly Trouble[] {
    return this.#troubles.filter(({ to }) => to >= moment)
  }
}
