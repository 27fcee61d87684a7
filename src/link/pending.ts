/**
 * The calls on a connection: who waits, until when, and since when the server has been silent.
 *
 * Calls with the same deadline form a line in the order in which they were sent. Replies come in that order too, so an
 * answered call is the head of its line and everything costs O(1); one timer serves them all.
 *
 *     line 250 ms:   head ─▶ call ─▶ call ─▶ call ─▶ tail
 *                             ▲ cursor: the first whose deadline has not passed
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Argument, Reply } from './driver.ts'
import type { LinkError } from '../errors.ts'

/** One command on its way. */
export class Call {
  readonly args: readonly Argument[]
  readonly deadlineMs: number
  readonly buffers: boolean
  /** Bytes of the arguments, for the bound on what is in flight. */
  readonly bytes: number
  /** A PING of the link itself: a missed one asks again instead of counting as a missed deadline. */
  heartbeat = false
  /** A question of the link itself: nobody else waits for it. */
  own = false
  resolve: ((reply: Reply) => void) | undefined
  reject: ((error: LinkError) => void) | undefined
  sentAt = 0
  answered = false
  /** No answer was there to be read when one would still have been in time, and the process was awake to look. */
  late = false
  next: Call | undefined
  line: Line | undefined

  constructor(args: readonly Argument[], deadlineMs: number, buffers = false) {
    this.args = args
    this.deadlineMs = deadlineMs
    this.buffers = buffers
    let bytes = 0
    for (const arg of args) bytes += arg.length
    this.bytes = bytes
  }

  /** True while its caller still waits. */
  get waiting(): boolean {
    return this.resolve !== undefined
  }

  /** Gives the caller the answer; a second settlement is ignored. */
  settle(reply: Reply): void {
    const { resolve } = this
    this.resolve = this.reject = undefined
    resolve?.(reply)
  }

  /** Gives the caller an error; a second settlement is ignored. */
  fail(error: LinkError): void {
    const { reject } = this
    this.resolve = this.reject = undefined
    reject?.(error)
  }
}

/** Calls with the same deadline, in the order in which they were sent. */
export interface Line {
  readonly deadlineMs: number
  /** An answer after this is late. */
  readonly lateMs: number
  head: Call | undefined
  tail: Call | undefined
  cursor: Call | undefined
  /** The first whose answer would not be late yet; only where that is not the cursor, because the deadlines are tighter. */
  unjudged: Call | undefined
}

export interface PendingOptions {
  readonly clock: Clock
  readonly silenceMs: number
  /** What the server is granted: a caller in a greater hurry is told an error, but the answer is not late for that. */
  readonly lateMs: number
  /** The call's deadline has passed without an answer. */
  readonly onExpired: (call: Call) => void
  /** No reply of any kind for `silenceMs` although a deadline was missed. */
  readonly onSilent: (silentForMs: number) => void
}

/** A timer later than this means that the event loop stood still, not the server. */
export const STALL_MS = 20
/** A process that stood still so long may have sent late what it meant to send in time: client libraries write in a later turn. */
const OVERSLEPT_MS = 50
/** After a stall the sockets get this long before anybody is told that the server is late. */
const STALL_GRACE_MS = 10
/** A timer may fire a little early against a clock with fractions. */
const TIMER_SLACK_MS = 0.5

export class Pending {
  readonly #options: PendingOptions
  readonly #clock: Clock
  readonly #lines = new Map<number, Line>()
  readonly #onTimer = (): void => this.#afterTimer()
  readonly #expire = (): void => this.#expireDue()
  readonly #forgetReplyTime = (): void => {
    this.#replyTimeFresh = false
  }
  #replyTimeFresh = false
  #size = 0
  #bytes = 0
  #missed = 0
  #lastReplyAt = -Infinity
  #provenAt = -Infinity
  /** Longest of the stalls since the last reply. */
  #longestStallMs = 0
  #timer: TimerHandle | undefined
  #armedFor = Infinity
  #graceGiven = false
  #closed = false

  constructor(options: PendingOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  /** Calls without an answer, those whose caller has given up included. */
  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Is there a call whose deadline has not passed? */
  get awaiting(): boolean {
    for (const { cursor } of this.#lines.values()) if (cursor !== undefined) return true
    return false
  }

  /** Monotonic milliseconds of the newest reply; -Infinity before the first. */
  get lastReplyAt(): number {
    return this.#lastReplyAt
  }

  /** Monotonic moment up to which all that the server had sent has arrived: when the newest answered call was sent. */
  get provenAt(): number {
    return this.#provenAt
  }

  add(call: Call): void {
    const now = this.#clock.now()
    call.sentAt = now
    const line = this.#lines.get(call.deadlineMs) ?? this.#newLine(call.deadlineMs)
    call.line = line
    if (line.tail === undefined) line.head = call
    else line.tail.next = call
    line.tail = call
    line.cursor ??= call
    if (line.lateMs > line.deadlineMs) line.unjudged ??= call
    if (this.#size === 0) this.#longestStallMs = 0
    this.#size += 1
    this.#bytes += call.bytes
    if (now + call.deadlineMs < this.#armedFor) this.#arm(now, now + call.deadlineMs)
  }

  /** Takes the call off; returns whether the answer was late, and not only read late by a process that stood still. */
  answer(call: Call): boolean {
    this.#noteReplyTime()
    this.#missed = 0
    this.#longestStallMs = 0
    this.#provenAt = Math.max(this.#provenAt, call.sentAt)
    this.remove(call)
    return call.late
  }

  /** One look at the clock serves all replies that were read from the socket together. */
  #noteReplyTime(): void {
    if (this.#replyTimeFresh) return
    this.#replyTimeFresh = true
    this.#lastReplyAt = this.#clock.now()
    queueMicrotask(this.#forgetReplyTime)
  }

  /** Takes a call off that got no reply (it could not be encoded, say). */
  remove(call: Call): void {
    if (call.answered) return
    call.answered = true
    this.#size -= 1
    this.#bytes -= call.bytes
    const { line } = call
    if (line === undefined) return
    call.line = undefined
    while (line.cursor?.answered === true) line.cursor = line.cursor.next
    while (line.unjudged?.answered === true) line.unjudged = line.unjudged.next
    while (line.head?.answered === true) line.head = line.head.next
    if (line.head === undefined) line.tail = undefined
  }

  /** Ends the timer and returns the calls whose callers still wait. */
  close(): Call[] {
    this.#closed = true
    this.#disarm()
    const waiting: Call[] = []
    for (const line of this.#lines.values())
      for (let call = line.head; call !== undefined; call = call.next) if (call.waiting) waiting.push(call)
    this.#lines.clear()
    this.#size = this.#bytes = 0
    return waiting
  }

  #newLine(deadlineMs: number): Line {
    const lateMs = Math.max(deadlineMs, this.#options.lateMs)
    const line: Line = {
      deadlineMs,
      lateMs,
      head: undefined,
      tail: undefined,
      cursor: undefined,
      unjudged: undefined,
    }
    this.#lines.set(deadlineMs, line)
    return line
  }

  /** The sockets that are readable now are read before anybody is told that no answer came. */
  #afterTimer(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    if (now - this.#armedFor > STALL_MS && !this.#graceGiven) {
      this.#graceGiven = true
      this.#longestStallMs = Math.max(this.#longestStallMs, now - this.#armedFor)
      this.#arm(now, now + STALL_GRACE_MS)
      return
    }
    this.#graceGiven = false
    this.#clock.afterIo(this.#expire)
  }

  #expireDue(): void {
    if (this.#closed) return
    const now = this.#clock.now()
    for (const line of this.#lines.values()) this.#expireLine(line, now)
    const silentSince = this.#missed > 0 ? this.#silentSince() : Infinity
    if (now - silentSince >= this.#options.silenceMs - TIMER_SLACK_MS) {
      this.#options.onSilent(now - silentSince)
      return
    }
    this.#armedFor = Infinity
    const due = Math.min(this.#nextDeadline(), silentSince + this.#options.silenceMs)
    if (due < Infinity) this.#arm(now, due)
  }

  #expireLine(line: Line, now: number): void {
    let call = line.cursor
    while (call !== undefined && (call.answered || call.sentAt + line.deadlineMs <= now + TIMER_SLACK_MS)) {
      if (!call.answered) {
        call.late = line.lateMs === line.deadlineMs && !overslept(call, line, now)
        if (!call.heartbeat) this.#missed += 1
        this.#options.onExpired(call)
      }
      call = call.next
    }
    line.cursor = call
    this.#judge(line, now)
    if (line.head === undefined) this.#lines.delete(line.deadlineMs)
  }

  /** Calls whose callers were told an error long ago: from now on their answers are late. */
  #judge(line: Line, now: number): void {
    let call = line.unjudged
    while (call !== undefined && (call.answered || call.sentAt + line.lateMs <= now + TIMER_SLACK_MS)) {
      call.late = !call.answered && !overslept(call, line, now)
      call = call.next
    }
    line.unjudged = call
  }

  /**
   * Since when the server owes a reply: counted from the later of last reply and oldest question. A stall may have been one
   * of the whole machine, so its time does not count; only the longest does not, or a server that freezes under a process
   * which stands still for a moment again and again would never be found out.
   */
  #silentSince(): number {
    let oldest = Infinity
    for (const { head } of this.#lines.values()) if (head !== undefined) oldest = Math.min(oldest, head.sentAt)
    return oldest === Infinity ? Infinity : Math.max(oldest, this.#lastReplyAt) + this.#longestStallMs
  }

  #nextDeadline(): number {
    let due = Infinity
    for (const { cursor, unjudged, deadlineMs, lateMs } of this.#lines.values()) {
      if (cursor !== undefined) due = Math.min(due, cursor.sentAt + deadlineMs)
      if (unjudged !== undefined) due = Math.min(due, unjudged.sentAt + lateMs)
    }
    return due
  }

  #arm(now: number, due: number): void {
    this.#disarm()
    this.#armedFor = due
    this.#timer = this.#clock.setTimer(this.#onTimer, Math.max(0, due - now))
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#armedFor = Infinity
  }
}

function overslept(call: Call, { lateMs }: Line, now: number): boolean {
  return now - call.sentAt - lateMs >= OVERSLEPT_MS
}
