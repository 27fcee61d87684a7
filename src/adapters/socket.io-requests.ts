/** Questions to the other servers of socket.io: who is there, what each has answered, and how long that is waited for. */
import { randomBytes } from 'node:crypto'
import type { Clock, TimerHandle } from '../clock.ts'

/** What came within the time. */
export interface Answered {
  readonly answers: readonly unknown[]
  /** Servers that have not answered, or cannot be reached. */
  readonly missing: number
}

interface Waiting {
  readonly missing: Set<string>
  readonly answers: unknown[]
  readonly dueAt: number
  timer: TimerHandle
  readonly resolve: (answered: Answered) => void
}

export interface RequestsOptions {
  readonly clock: Clock
  /** A server that has not been heard for so long is gone. */
  readonly goneMs: number
  /** Can the others be reached at all? */
  readonly reachable: () => boolean
}

const LOOK_MS = 50

export class Requests {
  readonly #options: RequestsOptions
  /** When each server was heard last. */
  readonly #heard = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** The servers that are there beside this one, as far as can be known. */
  get others(): readonly string[] {
    const { clock, goneMs } = this.#options
    const earliest = clock.now() - goneMs
    for (const [uid, at] of this.#heard) if (at < earliest) this.gone(uid)
    return [...this.#heard.keys()]
  }

  /** Those of them that can be asked now. */
  get reachable(): readonly string[] {
    return this.#options.reachable() ? this.others : []
  }

  heard(uid: string): void {
    this.#heard.set(uid, this.#options.clock.now())
  }

  /** Says goodbye, or is not heard any more. */
  gone(uid: string): void {
    this.#heard.delete(uid)
    for (const [id, { missing }] of this.#waiting) if (missing.delete(uid) && missing.size === 0) this.#end(id)
  }

  /** Asks every server that can be reached; resolves with what has come by the deadline, and never rejects. */
  ask(send: (requestId: string) => void, deadlineMs: number): Promise<Answered> {
    const { clock } = this.#options
    const { reachable, others } = this
    if (reachable.length === 0) return Promise.resolve({ answers: [], missing: others.length })
    const id = randomBytes(8).toString('hex')
    const { promise, resolve } = Promise.withResolvers<Answered>()
    const dueAt = clock.now() + deadlineMs
    this.#waiting.set(id, {
      missing: new Set(reachable),
      answers: [],
      dueAt,
      timer: this.#look(id, deadlineMs),
      resolve,
    })
    send(id)
    return promise
  }

  /** Once it is known that the others cannot be reached, nobody waits for the rest of the time. */
  #look(id: string, leftMs: number): TimerHandle {
    const { clock, reachable } = this.#options
    return clock.setTimer(
      () => {
        const waiting = this.#waiting.get(id)
        if (waiting === undefined) return
        const left = waiting.dueAt - clock.now()
        if (left <= 0 || !reachable()) this.#end(id)
        else waiting.timer = this.#look(id, left)
      },
      Math.min(leftMs, LOOK_MS),
    )
  }

  /** True: it belongs to a question from here, or to one that was. */
  answer(requestId: string, uid: string, answer: unknown): boolean {
    const waiting = this.#waiting.get(requestId)
    if (waiting === undefined) return false
    waiting.answers.push(answer)
    if (waiting.missing.delete(uid) && waiting.missing.size === 0) this.#end(requestId)
    return true
  }

  close(): void {
    for (const id of this.#waiting.keys()) this.#end(id)
  }

  #end(id: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#options.clock.clearTimer(waiting.timer)
    waiting.resolve({ answers: waiting.answers, missing: waiting.missing.size })
  }
}
