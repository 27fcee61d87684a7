/**
 * Callers whose every write is unique, so that the server can be asked afterwards what became of each:
 *
 *     plain    INCR <link>:<n>               the count is how often it ran
 *     fenced   XADD <link>:log * op <n>      the id is when it ran, by the server's own clock
 */
import { LinkError, type Executed, type LinkErrorCode } from '../../../src/errors.ts'
import type { RedisLink } from '../../../src/link/index.ts'
import { RawError } from '../../support/raw-client.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'

export const DEADLINE_MS = 250
/** A promise that has not settled by then hangs. */
const SETTLES_WITHIN_MS = DEADLINE_MS + 2000
const READ_AT_ONCE = 500

export interface Call {
  readonly n: number
  readonly fenced: boolean
  /** `performance.now()` of issue and settlement; undefined: not settled yet. */
  readonly issuedAt: number
  /** When `send()` returned: a machine may take the processor away in between. */
  sentAt: number
  /** The deadline by the wall clock. */
  dueAt: number
  settledAt: number | undefined
  error: CallError | undefined
}

const NOT_SENT = { sentAt: Infinity, dueAt: Infinity }

export interface CallError {
  readonly code: LinkErrorCode
  readonly executed: Executed
  /** Wall clock, as the server's. */
  readonly at: number
}

/** A call and what the server knows of it. */
export interface Fate extends Call {
  readonly executions: number
  /** The newest execution by the server's wall clock; only fenced calls tell. */
  readonly ranAt: number | undefined
}

export class Callers {
  readonly calls: Call[] = []
  readonly #link: RedisLink
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(link: RedisLink, everyMs: number) {
    this.#link = link
    this.#everyMs = everyMs
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#round(), this.#everyMs)
  }

  /** Ends the calls and waits for those under way; what has not settled then hangs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const settled = (): boolean => this.calls.every((call) => call.settledAt !== undefined)
    await eventually('every call settles', settled, { timeoutMs: SETTLES_WITHIN_MS }).catch(() => 'judged later')
  }

  /** When the first call succeeded that was issued at that moment or later. */
  successSince(moment: number): number | undefined {
    return this.calls.find((call) => call.issuedAt >= moment && call.settledAt !== undefined && !call.error)?.settledAt
  }

  /** Asks the server what became of each call. */
  async fates(server: RedisServer): Promise<Fate[]> {
    const { name } = this.#link
    const counts = await countsOf(
      server,
      this.calls.filter(isPlain).map(({ n }) => `${name}:${n}`),
    )
    const runs = await runsOf(server, `${name}:log`)
    return this.calls.map((call) => {
      const ran = runs.get(call.n) ?? []
      const executions = call.fenced ? ran.length : (counts.get(`${name}:${call.n}`) ?? 0)
      return { ...call, executions, ranAt: ran.at(-1) }
    })
  }

  #round(): void {
    const { name } = this.#link
    const [plain, fenced] = [this.calls.length, this.calls.length + 1]
    this.#call({ n: plain, fenced: false }, ['INCR', `${name}:${plain}`])
    this.#call({ n: fenced, fenced: true }, ['XADD', `${name}:log`, '*', 'op', String(fenced)])
  }

  #call({ n, fenced }: Pick<Call, 'n' | 'fenced'>, command: readonly string[]): void {
    const call: Call = { n, fenced, issuedAt: performance.now(), ...NOT_SENT, settledAt: undefined, error: undefined }
    this.calls.push(call)
    const settle = (error?: CallError): void => {
      call.settledAt = performance.now()
      call.error = error
    }
    const sent = this.#link.send(command, { deadlineMs: DEADLINE_MS, fence: fenced })
    call.sentAt = performance.now()
    call.dueAt = Date.now() + DEADLINE_MS
    sent.then(
      () => settle(),
      (error: unknown) => {
        if (!(error instanceof LinkError)) throw error
        settle({ code: error.code, executed: error.executed, at: Date.now() })
      },
    )
  }
}

function isPlain({ fenced }: Call): boolean {
  return !fenced
}

async function countsOf(server: RedisServer, keys: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (let start = 0; start < keys.length; start += READ_AT_ONCE) {
    const some = keys.slice(start, start + READ_AT_ONCE)
    const values = await server.command('MGET', ...some)
    if (!Array.isArray(values)) throw new Error(`The oracle cannot read: ${String(values)}`)
    for (const [index, key] of some.entries()) counts.set(key, Number(values[index] ?? 0))
  }
  return counts
}

/** By call: the moments of its executions. */
async function runsOf(server: RedisServer, stream: string): Promise<Map<number, number[]>> {
  const entries = await server.command('XRANGE', stream, '-', '+')
  if (entries instanceof RawError || !Array.isArray(entries)) throw new Error(`No log: ${String(entries)}`)
  const runs = new Map<number, number[]>()
  for (const [id, [, op]] of entries as [string, [string, string]][])
    runs.set(Number(op), [...(runs.get(Number(op)) ?? []), Number(id.split('-')[0])])
  return runs
}
