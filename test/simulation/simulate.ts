/** Plays one seed and tells what was wrong. */
import type { Violation } from './invariants.ts'
import { planOf } from './schedule.ts'
import { Simulation } from './simulation.ts'

export interface SimulateOptions {
  /** Tell what happens, line by line. @default false */
  readonly trace?: boolean
}

export interface Simulated {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly virtualMs: number
  readonly operations: number
  readonly trace: readonly string[]
}

let current: Simulation | undefined

/** Must be called once per process: a rejection that nobody handles is a violation of the seed that runs. */
export function watchRejections(): void {
  process.on('unhandledRejection', (error) => unhandled(error))
}

/** Plays one seed, in a task of its own, because its clock drains the promises. */
export function simulate(seed: number, options: SimulateOptions = {}): Promise<Simulated> {
  const { promise, resolve } = Promise.withResolvers<Simulated>()
  setImmediate(() => resolve(play(seed, options)))
  return promise
}

function play(seed: number, options: SimulateOptions): Simulated {
  const simulation = new Simulation(planOf(seed), options)
  current = simulation
  try {
    simulation.play()
  } catch (error) {
    unhandled(error)
  } finally {
    current = undefined
  }
  const { violations } = simulation.invariants
  const { operations } = simulation.ledger
  return { seed, violations, virtualMs: simulation.clock.now(), operations: operations.length, trace: simulation.trace }
}

function unhandled(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (current === undefined) throw new Error(`Not handled, outside of every simulation: ${text}`)
  current.invariants.violated('A3', `not handled: ${text}`)
}
