/**
 * Lanes for commands that wait inside the server (BLMOVE, XREADGROUP BLOCK …): a connection each, because everything behind
 * such a command waits too. The call's deadline is the command's own waiting time plus that of a read; a connection that
 * has to be opened first may take as long as a read on top.
 */
import { LinkError, type Reason } from '../errors.ts'
import { later } from './activities.ts'
import type { Argument, Reply } from './driver.ts'
import type { Fault } from './faults.ts'
import { wrongWait, wrongWords } from './given.ts'
import { Lane, type LaneOptions } from './lane.ts'
import { Call } from './pending.ts'
import type { BlockingLane } from './redis-link.ts'
import type { Wire } from './wire.ts'

export interface BlockingOptions extends LaneOptions {
  /** The refusal to give when the link does not serve; undefined: it serves. */
  readonly unavailable: () => LinkError | undefined
  readonly onClose: () => void
}

export class BlockingLaneConnection implements BlockingLane {
  readonly #options: BlockingOptions
  readonly #lane: Lane
  #waiting: PromiseWithResolvers<Wire> | undefined
  #busy = false
  #closed = false

  constructor(options: BlockingOptions) {
    this.#options = options
    this.#lane = new Lane(options, {
      wanted: () => !this.#closed && this.#waiting !== undefined,
      opened: (wire) => {
        this.#waiting?.resolve(wire)
        this.#waiting = undefined
        return Promise.resolve()
      },
      lost: (_fault: Fault, reason: Reason) => {
        this.#refuse(new LinkError('LINK_UNAVAILABLE', reason.text, { executed: 'no', retryable: true, reason }))
      },
      message: () => undefined,
      invalidated: () => undefined,
    })
  }

  async send(
    args: readonly Argument[],
    { blockMs, buffers = false }: { readonly blockMs: number; readonly buffers?: boolean },
  ): Promise<Reply> {
    const refusal =
      wrongWords(args) ??
      wrongWait(args, 'blockMs', blockMs) ??
      (this.#closed ? closedError() : this.#options.unavailable())
    if (refusal !== undefined) throw refusal
    if (this.#busy)
      throw new LinkError('LINK_BUSY', 'This lane waits in another command; open one lane for each.', {
        executed: 'no',
      })
    this.#busy = true
    try {
      const wire = this.#lane.wire ?? (await this.#open())
      return await wire.dispatch(new Call(args, blockMs + this.#options.settings.readDeadlineMs, buffers))
    } finally {
      this.#busy = false
    }
  }

  /** Nothing may go out any more: what waits is failed. */
  drop(reason: Reason): void {
    this.#lane.drop(reason)
    this.#refuse(new LinkError('LINK_UNAVAILABLE', reason.text, { executed: 'no', retryable: true, reason }))
  }

  /** Nothing new may go out: a command that waits in the server goes on. */
  refrain(reason: Reason): void {
    if (this.#waiting !== undefined) this.drop(reason)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const error = closedError()
    this.#lane.drop({ code: error.code, text: error.message, nextStep: '' })
    this.#refuse(error)
    this.#options.onClose()
  }

  /** A caller waits for the connection no longer than for the answer to a read. */
  async #open(): Promise<Wire> {
    const { clock, settings } = this.#options
    const waiting = Promise.withResolvers<Wire>()
    this.#waiting = waiting
    const text = `No connection for a blocking command came about within ${settings.readDeadlineMs} ms.`
    const stop = later(clock, settings.readDeadlineMs, () => {
      this.#refuse(new LinkError('LINK_UNAVAILABLE', text, { executed: 'no', retryable: true }))
    })
    this.#lane.maintain()
    try {
      return await waiting.promise
    } finally {
      stop()
    }
  }

  #refuse(error: LinkError): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

function closedError(): LinkError {
  return new LinkError('LINK_CLOSED', 'The lane was closed.', { executed: 'no' })
}

/** For who asks a link for one more lane than it may have. */
export function tooManyLanes(maxBlockingLanes: number): LinkError {
  const text = `Cannot open a blocking lane: ${maxBlockingLanes} are open, as many as 'maxBlockingLanes' allows.`
  return new LinkError('LINK_BUSY', text, { executed: 'no' })
}
