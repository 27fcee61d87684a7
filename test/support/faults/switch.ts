import type { FaultStrategy } from './fault.ts'
import { pass } from './pass.ts'

/** Which fault is on; shared by a proxy and all its connections. */
export class FaultSwitch {
  #current: FaultStrategy = pass
  #turned = Promise.withResolvers<void>()

  get current(): FaultStrategy {
    return this.#current
  }

  /** Resolves when another fault is set. */
  get nextTurn(): Promise<void> {
    return this.#turned.promise
  }

  turn(to: FaultStrategy): void {
    this.#current = to
    this.#turned.resolve()
    this.#turned = Promise.withResolvers<void>()
  }
}
