/**
 * One connection of one generation: the driver's connection together with the calls on it. A wire is opened once, ends
 * once, and nothing that arrives after its end changes anything.
 *
 *     opening ──opened──▶ open ──closed, silent, kill()──▶ ended
 */
import type { Clock } from '../clock.ts'
import { LinkError, ReplyError, type Executed, type Reason } from '../errors.ts'
import type { Address, Connection, Driver, OpenOptions, Reply, SubscriptionKind } from './driver.ts'
import {
  executedByReply,
  faultOfFailure,
  faultOfReply,
  faultOfTimeout,
  LINK_FAULTS,
  reasonOf,
  describeError,
  type ConnectionPhase,
  type Fault,
} from './faults.ts'
import { Call, Pending, STALL_MS } from './pending.ts'
import type { Counters } from './counters.ts'

export interface WireEvents {
  /** Connected: commands may be sent. */
  opened(): void
  /** The wire is over; its calls have been failed before. Called once, not after `kill()` by the owner. */
  ended(wire: Wire, fault: Fault, reason: Reason): void
  /** The server answered with an error; what it means is for the owner. */
  errorReply(wire: Wire, fault: Fault, reason: Reason): void
  /** A late reply arrived, after its deadline and that of a read by the server's own fault; while the wire is `watched`, any reply. */
  replied(wire: Wire, now: number, late: boolean): void
  message(channel: string, payload: Buffer, pattern: string | undefined): void
  invalidated(keys: readonly Buffer[] | null): void
}

export interface WireOptions {
  readonly driver: Driver
  readonly address: Address
  readonly open: OpenOptions
  readonly clock: Clock
  readonly silenceMs: number
  /** An answer that took longer is late, also where its caller's own deadline was tighter. */
  readonly lateMs: number
  /** Has this endpoint answered before in this process? Decides between "wrong" and "away". */
  readonly everUp: boolean
  readonly counters: Counters
  readonly events: WireEvents
}

export class Wire {
  readonly address: Address
  readonly #options: WireOptions
  readonly #pending: Pending
  readonly #counters: Counters
  readonly #connection: Connection
  /** Tell the owner of every reply, not only of the late ones. */
  watched = false
  #replies = 0
  #phase: ConnectionPhase = 'connect'
  #ended = false

  constructor(options: WireOptions) {
    this.#options = options
    this.address = options.address
    this.#counters = options.counters
    this.#pending = new Pending({
      clock: options.clock,
      silenceMs: options.silenceMs,
      lateMs: options.lateMs,
      onExpired: (call) => this.#expire(call),
      onSilent: (silentForMs) => this.#silent(silentForMs),
    })
    this.#connection = this.#open()
  }

  get ended(): boolean {
    return this.#ended
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** Is there a call that may still be answered in time? */
  get awaiting(): boolean {
    return this.#pending.awaiting
  }

  get bytesInFlight(): number {
    return this.#pending.bytes
  }

  /** Replies so far. */
  get replies(): number {
    return this.#replies
  }

  get lastReplyAt(): number {
    return this.#pending.lastReplyAt
  }

  /** Monotonic moment up to which all that the server had sent has arrived. */
  get provenAt(): number {
    return this.#pending.provenAt
  }

  /** The handshake is over: from now on a failure is one of an established connection. */
  established(): void {
    this.#phase = 'established'
  }

  /** Sends a call that nobody else settles. */
  request(args: Call['args'], deadlineMs: number, options: { heartbeat?: boolean } = {}): Promise<Reply> {
    const call = new Call(args, deadlineMs)
    call.heartbeat = options.heartbeat ?? false
    call.own = true
    return this.dispatch(call)
  }

  /** Sends a call; the promise settles within its deadline, whatever happens. */
  dispatch(call: Call): Promise<Reply> {
    const promise = this.#begin(call)
    if (!this.#ended) this.#follow(call, this.#connection.send(call.args, call.buffers))
    return promise
  }

  /** Fulfilled when the server has confirmed; a call like any other, with deadline and all. */
  subscribe(kind: SubscriptionKind, names: readonly string[], deadlineMs: number): Promise<Reply> {
    const call = new Call([kind === 'channel' ? 'SUBSCRIBE' : 'PSUBSCRIBE', ...names], deadlineMs)
    call.own = true
    const promise = this.#begin(call)
    if (!this.#ended) this.#follow(call, this.#connection.subscribe(kind, names))
    return promise
  }

  unsubscribe(kind: SubscriptionKind, names: readonly string[], deadlineMs: number): Promise<Reply> {
    const call = new Call([kind === 'channel' ? 'UNSUBSCRIBE' : 'PUNSUBSCRIBE', ...names], deadlineMs)
    call.own = true
    const promise = this.#begin(call)
    if (!this.#ended) this.#follow(call, this.#connection.unsubscribe(kind, names))
    return promise
  }

  /** Ends the wire at once; calls in flight fail with `maybe`. The owner knows why, so `ended` is not called. */
  kill(reason: Reason, executed: Executed = 'maybe'): void {
    if (this.#ended) return
    this.#ended = true
    this.#connection.kill()
    this.#failAll(reason, executed)
  }

  #open(): Connection {
    const { driver, address, open, events } = this.#options
    return driver.open(address, open, {
      opened: () => {
        if (this.#ended) return
        this.#phase = 'handshake'
        events.opened()
      },
      closed: (cause) => this.#closed(cause),
      message: (channel, payload, pattern) => {
        if (!this.#ended) events.message(channel, payload, pattern)
      },
      invalidated: (keys) => {
        if (!this.#ended) events.invalidated(keys)
      },
    })
  }

  #begin(call: Call): Promise<Reply> {
    const promise = new Promise<Reply>((resolve, reject) => {
      call.resolve = resolve
      call.reject = reject
    })
    if (this.#ended)
      call.fail(new LinkError('LINK_UNAVAILABLE', 'The connection has ended.', { executed: 'no', retryable: true }))
    else {
      this.#counters.sent += 1
      this.#pending.add(call)
    }
    return promise
  }

  #follow(call: Call, outcome: Promise<Reply | void>): void {
    outcome.then(
      (reply) => this.#answer(call, reply ?? null),
      (error: unknown) => this.#failure(call, error),
    )
  }

  #answer(call: Call, reply: Reply): void {
    if (this.#ended) return
    this.#settled(call)
    call.settle(reply)
  }

  #failure(call: Call, error: unknown): void {
    if (this.#ended) return
    if (this.#options.driver.isErrorReply(error)) this.#errorReply(call, (error as Error).message)
    else if (error instanceof TypeError) this.#refusedByEncoder(call, error)
    else this.#closed(error instanceof Error ? error : new Error(String(error)))
  }

  #errorReply(call: Call, text: string): void {
    const fault = faultOfReply(text)
    const reason = reasonOf(fault, text)
    this.#settled(call)
    this.#counters.errorReplies += 1
    if (call.waiting) {
      const command = String(call.args[0])
      call.fail(
        fault.code === 'late'
          ? new LinkError('LINK_LATE', text, { executed: 'no', retryable: false, reason })
          : new ReplyError(text, { executed: executedByReply(text, command), retryable: fault.retryable, reason }),
      )
    }
    this.#options.events.errorReply(this, fault, reason)
  }

  /** The client library could not encode the arguments: nothing was sent. */
  #refusedByEncoder(call: Call, error: TypeError): void {
    this.#pending.remove(call)
    call.fail(
      new LinkError('LINK_ARGUMENT', `Cannot send '${String(call.args[0])}': ${error.message}`, {
        executed: 'no',
        cause: error,
      }),
    )
  }

  #settled(call: Call): void {
    const late = this.#pending.answer(call)
    this.#replies += 1
    if (call.waiting) this.#counters.answered += 1
    else this.#counters.lateReplies += 1
    if (late || this.watched) this.#options.events.replied(this, this.#pending.lastReplyAt, late)
  }

  #expire(call: Call): void {
    if (!call.waiting) return
    if (!call.own) this.#counters.deadlines += 1
    const text = `No answer to '${String(call.args[0])}' within ${call.deadlineMs} ms.`
    const reason = reasonOf(LINK_FAULTS.noAnswer)
    const overdueMs = this.#options.clock.now() - call.sentAt - call.deadlineMs
    const stalledMs = overdueMs > STALL_MS ? overdueMs : 0
    call.fail(new LinkError('LINK_DEADLINE', text, { executed: 'maybe', retryable: true, reason, stalledMs }))
  }

  #silent(silentForMs: number): void {
    const detail = `no reply for ${Math.round(silentForMs)} ms, calls unanswered: ${this.#pending.size}`
    const { open, everUp } = this.#options
    const fault = faultOfTimeout({ phase: this.#phase, tls: open.tls !== undefined, everUp })
    this.#end(fault, reasonOf(fault, detail))
  }

  #closed(cause: Error | undefined): void {
    if (this.#ended) return
    const { open } = this.#options
    const everUp = this.#options.everUp || this.#phase === 'established'
    const fault = faultOfFailure(cause, { phase: this.#phase, tls: open.tls !== undefined, everUp })
    this.#end(fault, reasonOf(fault, cause === undefined ? undefined : describeError(cause)))
  }

  #end(fault: Fault, reason: Reason): void {
    this.kill(reason)
    this.#options.events.ended(this, fault, reason)
  }

  #failAll(reason: Reason, executed: Executed): void {
    const waiting = this.#pending.close()
    this.#counters.lost += waiting.filter((call) => !call.own).length
    for (const call of waiting)
      call.fail(
        new LinkError(
          'LINK_LOST',
          `The connection ended while '${String(call.args[0])}' was in flight: ${reason.text}`,
          {
            executed,
            retryable: true,
            reason,
          },
        ),
      )
  }
}
