/**
 * What runs while the link is in a state: each activity starts with the state and is stopped when the state is left.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import { LinkError } from '../errors.ts'
import type { Argument, Reply } from './driver.ts'
import type { Wire } from './wire.ts'

/** Ends an activity; a second call does nothing. */
export type Stop = () => void

/** Runs once, later, unless stopped. */
export function later(clock: Clock, delayMs: number, run: () => void): Stop {
  let timer: TimerHandle | undefined = clock.setTimer(() => {
    timer = undefined
    run()
  }, delayMs)
  return () => {
    if (timer !== undefined) clock.clearTimer(timer)
    timer = undefined
  }
}

/** Runs again and again until stopped; the pause is asked for each time, before the first run too. */
export function repeat(clock: Clock, nextDelayMs: () => number, run: () => void): Stop {
  let stop: Stop = () => undefined
  const schedule = (): void => {
    stop = later(clock, nextDelayMs(), () => {
      schedule()
      run()
    })
  }
  schedule()
  return () => stop()
}

/** Two activities that end together. */
export function both(first: Stop, second: Stop): Stop {
  return () => {
    first()
    second()
  }
}

export interface PulseOptions {
  readonly wire: Wire
  readonly clock: Clock
  /** An idle wire is asked after so long. */
  readonly everyMs: number
  /** How long one question waits. */
  readonly timeoutMs: number
  /** So many questions in a row without an answer mean that nobody is there. @default 2 */
  readonly misses?: number
  readonly onDead: (detail: string) => void
  /** Called at each look, at least every `everyMs`. */
  readonly onLook?: () => void
}

/** Heartbeat: a PING when nothing came by itself for a while; after a miss the next one follows at once. */
export function pulse({ wire, clock, everyMs, timeoutMs, misses = 2, onDead, onLook }: PulseOptions): Stop {
  let stopped = false
  let missed = 0
  let stopTimer: Stop = () => undefined
  const ask = (): void => {
    wire.request(['PING'], timeoutMs, { heartbeat: true }).then(
      () => {
        missed = 0
      },
      (error: unknown) => {
        if (stopped || !isDeadline(error)) return
        missed += 1
        if (missed < misses) ask()
        else onDead(`${missed} heartbeats without an answer`)
      },
    )
  }
  const look = (): void => {
    onLook?.()
    const idleMs = clock.now() - wire.lastReplyAt
    // A call that waits for its answer is a question too; one that has waited in vain is none.
    const due = idleMs >= everyMs && !wire.awaiting
    if (due) ask()
    stopTimer = later(clock, due ? everyMs : Math.max(everyMs - idleMs, everyMs / 10), look)
  }
  look()
  return () => {
    stopped = true
    stopTimer()
  }
}

/** Sends a question whose answer shows in the wire's events; its own rejection says nothing more. */
export function question(wire: Wire, args: readonly Argument[], deadlineMs: number): Promise<Reply | undefined> {
  return wire.request(args, deadlineMs).catch(() => undefined)
}

function isDeadline(error: unknown): boolean {
  return error instanceof LinkError && error.code === 'LINK_DEADLINE'
}
