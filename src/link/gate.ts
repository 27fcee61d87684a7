/**
 * One connection attempt at a time per process and endpoint, shared by every lane and every link: a server that comes
 * back must not be met by a burst, and one that is away is asked once, not once per lane.
 */

/** Serialises attempts by key. Whoever waited for one that failed takes its failure for his own. */
export class AttemptGate<Result> {
  readonly #isFailure: (result: Result) => boolean
  readonly #underWay = new Map<string, Promise<Result>>()

  constructor(isFailure: (result: Result) => boolean) {
    this.#isFailure = isFailure
  }

  /** Runs `attempt` when no other is under way for this key; `attempt` must not reject. */
  async enter(key: string, attempt: () => Promise<Result>): Promise<Result> {
    for (let other = this.#underWay.get(key); other !== undefined; other = this.#underWay.get(key)) {
      const result = await other
      if (this.#isFailure(result)) return result
    }
    const own = attempt()
    this.#underWay.set(key, own)
    try {
      return await own
    } finally {
      this.#underWay.delete(key)
    }
  }
}
