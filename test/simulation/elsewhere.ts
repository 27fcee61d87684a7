/** What others do to the same Redis: they publish, push, and change keys. */
import type { FakeClock } from '../support/fake-clock.ts'
import { Chance } from './random.ts'
import type { Plan } from './schedule.ts'
import { TRACKED } from './tracking.ts'
import type { World } from './world.ts'

export interface ElsewhereOptions {
  readonly plan: Plan
  readonly clock: FakeClock
  readonly chance: Chance
  readonly world: World
}

const CHANNELS = ['news', 'prices']

export class Elsewhere {
  /** By channel: when each message was published, by its number. */
  readonly publications: ReadonlyMap<string, number[]> = new Map(CHANNELS.map((channel) => [channel, []]))
  /** When the key of each number was changed. */
  readonly changes: number[] = []
  readonly #options: ElsewhereOptions
  /** A chance of its own: without tracking a seed is what it was. */
  readonly #changing: Chance

  constructor(options: ElsewhereOptions) {
    this.#options = options
    this.#changing = new Chance(options.plan.seed + 0x7ac4)
  }

  /** From now on; `lists` are what somebody pops from. */
  begin(lists: readonly string[]): void {
    const { links } = this.#options.plan
    if (links.some(({ subscriptions }) => subscriptions.length > 0)) this.#publish()
    if (lists.length > 0) this.#push(lists)
    if (links.some(({ tracking }) => tracking !== undefined)) this.#change()
  }

  #publish(): void {
    const { clock, chance, world } = this.#options
    for (const [channel, published] of this.publications) {
      const payload = Buffer.from(String(published.length))
      if (world.master.server.publishFromElsewhere(channel, payload)) published.push(clock.now())
    }
    clock.at(clock.now() + chance.between(200, 900), () => this.#publish())
  }

  #push(lists: readonly string[]): void {
    const { clock, chance, world } = this.#options
    world.master.server.pushFromElsewhere(chance.pick(lists), 'element')
    clock.at(clock.now() + chance.between(200, 2000), () => this.#push(lists))
  }

  /** Each change has a key of its own, so that one that was not heard is known. */
  #change(): void {
    const { clock, world } = this.#options
    if (world.master.server.changeFromElsewhere(`${TRACKED}${this.changes.length}`)) this.changes.push(clock.now())
    clock.at(clock.now() + this.#changing.between(50, 600), () => this.#change())
  }
}
