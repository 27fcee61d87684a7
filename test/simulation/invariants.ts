/**
 * What must hold in every simulation. Names as in the fault matrix:
 *
 *   A1 no wait beyond the deadline      A2 every promise settles          A3 nothing unhandled
 *   A4 no double execution              A5 `executed` tells the truth     A7 noticed and back in time, and only for a cause
 *   A10 attempts one by one, and few    A11 states legal and true         A12 one gap per interruption, no silent loss
 *   A13 the true cause is told          A14 silence when told to          A15 nothing left after close()
 *   A16 no change goes unheard while tracking says that it hears, and it hears when all is well
 *   F1 nothing runs behind the fence after its caller's deadline          S1 the counters add up
 */
import type { FakeClock } from '../support/fake-clock.ts'
import type { Ledger, Operation } from './ledger.ts'

export interface Violation {
  readonly rule: string
  readonly at: number
  readonly text: string
}

/** After a stall the sockets are looked at for so long before anybody is told that the server is late. */
const GRACE_MS = 10

export interface InvariantsOptions {
  readonly clock: FakeClock
  readonly ledger: Ledger
  /** By how much a timer may be off. */
  readonly timerSlackMs: number
  /** By how much the server's clock may have moved against ours since it was measured. */
  readonly driftMs: number
}

export class Invariants {
  readonly violations: Violation[] = []
  readonly #options: InvariantsOptions
  readonly #stalls: { readonly from: number; readonly to: number }[] = []

  constructor(options: InvariantsOptions) {
    this.#options = options
  }

  violated(rule: string, text: string): void {
    this.violations.push({ rule, at: this.#options.clock.now(), text })
  }

  /** The process will do nothing for so long. */
  stalled(forMs: number): void {
    const from = this.#options.clock.now()
    this.#stalls.push({ from, to: from + forMs })
  }

  /** A1: a call that was issued at a moment may wait for so long, and for as long as the process itself was late. */
  checkWait(what: () => string, issuedAt: number, allowedMs: number): void {
    const waitedMs = this.#options.clock.now() - issuedAt
    if (waitedMs <= allowedMs + this.#options.timerSlackMs) return
    const lateMs = this.#stalledSince(issuedAt)
    if (waitedMs > allowedMs + lateMs + this.#options.timerSlackMs)
      this.violated('A1', `${what()} waited ${waitedMs.toFixed(1)} ms, allowed ${(allowedMs + lateMs).toFixed(1)}`)
  }

  #stalledSince(from: number): number {
    let lateMs = 0
    for (const stall of this.#stalls) if (stall.to > from) lateMs += stall.to - Math.max(stall.from, from) + GRACE_MS
    return lateMs
  }

  /** A1, A5: what the caller was told, at the moment he is told. A refusal comes at once. */
  settled(operation: Operation): void {
    const { answer, executed, issuedAt, deadlineMs } = operation
    this.checkWait(() => nameOf(operation), issuedAt, deadlineMs)
    const refused = answer === 'LINK_UNAVAILABLE' || answer === 'LINK_CLOSED' || answer === 'LINK_BUSY'
    if (!refused) return
    if (executed !== 'no') this.#wrong('A5', operation, 'was refused and is said to have executed')
    // The fence may find out in its second step, when the server did not know its script.
    if (operation.kind !== 'fenced' && this.#options.clock.now() > issuedAt)
      this.#wrong(
        'A1',
        operation,
        `was refused after ${(this.#options.clock.now() - issuedAt).toFixed(1)} ms, not at once`,
      )
  }

  /** A2, A4, A5, F1: when everything is over and what was under way has arrived. */
  checkLedger(): void {
    for (const operation of this.#options.ledger.operations) {
      const { answer, executed, executions, kind } = operation
      if (answer === undefined) this.#wrong('A2', operation, 'was never answered')
      if (executions > 1) this.#wrong('A4', operation, `was executed ${executions} times`)
      if (answer === 'ok' && kind !== 'read' && executions === 0)
        this.#wrong('A6', operation, 'was acknowledged and never executed')
      if (executed === 'no' && executions > 0)
        this.#wrong('A5', operation, `got ${answer} with executed 'no' and was executed`)
      if (kind === 'fenced') this.#checkFence(operation)
    }
  }

  #checkFence(operation: Operation): void {
    const { issuedAt, deadlineMs, lastExecutedAt } = operation
    const lateMs = lastExecutedAt - issuedAt - deadlineMs - this.#options.driftMs
    if (lateMs > 0) this.#wrong('F1', operation, `was executed ${lateMs.toFixed(3)} ms after its deadline`)
  }

  #wrong(rule: string, operation: Operation, text: string): void {
    this.violated(rule, `${nameOf(operation)} ${text}`)
  }
}

function nameOf({ id, kind, link, issuedAt }: Operation): string {
  return `${kind} ${id} of ${link}, issued at ${issuedAt.toFixed(1)},`
}
