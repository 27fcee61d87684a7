/**
 * Asks the sentinels where the master is. All are asked at once, each over a connection of its own that is killed
 * afterwards, so that a dead or frozen one costs nothing:
 *
 *     a majority of the configured sentinels agrees      ──▶ that address, at once
 *     all have answered, or 300 ms have passed           ──▶ the address that most named
 *     nobody has named one                               ──▶ error that says what each of them answered
 *
 * A sentinel may be behind the times: whoever connects must see by ROLE that it is a master.
 */
import type { Clock } from '../clock.ts'
import { EvenkeelError } from '../errors.ts'
import type { Address, Argument, Connection, Driver, Reply } from './driver.ts'
import { showAddress, type Endpoint } from './endpoint.ts'
import { describeError } from './faults.ts'
import { atHost, tlsAt } from './locate.ts'
import { lookup as systemLookup, type Lookup } from './lookup.ts'

export interface ResolveMasterOptions {
  readonly driver: Driver
  /** Its addresses are the sentinels. */
  readonly endpoint: Pick<Endpoint, 'addresses' | 'master' | 'tls' | 'sentinelCredentials'>
  /** For the whole attempt to connect; resolving takes four fifths of it at most. */
  readonly budgetMs: number
  readonly clock: Clock
  /** Ends the questions before their time. @default none */
  readonly signal?: AbortSignal
  /** @default the process's own */
  readonly lookup?: Lookup
}

/** A majority answers within a round trip; later than this a minority will do. */
const MAJORITY_MS = 300
const SHARE_OF_BUDGET = 0.8
const KEEP_ALIVE_MS = 30_000
/** A sentinel's answer to a name that it does not watch is a null; in the words of its other commands: */
const NO_SUCH_MASTER = 'ERR No such master with that name'

/**
 * The address of the master, as the sentinels announce it: its host may be a name.
 * @throws EvenkeelError whose text names every sentinel and what it answered
 */
export async function resolveMaster(options: ResolveMasterOptions): Promise<Address> {
  const poll = new Poll(options)
  try {
    return await poll.result
  } finally {
    poll.end()
  }
}

/** One round of questions. */
class Poll {
  readonly result: Promise<Address>
  readonly #options: ResolveMasterOptions
  readonly #limitMs: number
  readonly #connections = new Set<Connection>()
  readonly #votes = new Map<string, { readonly address: Address; count: number }>()
  /** What sentinels answered that named no master, by the sentinel's position. */
  readonly #failures = new Map<number, unknown>()
  readonly #settle: PromiseWithResolvers<Address>
  readonly #endTimers: () => void
  #answers = 0
  #minorityWillDo = false
  #over = false

  constructor(options: ResolveMasterOptions) {
    this.#options = options
    this.#limitMs = Math.round(options.budgetMs * SHARE_OF_BUDGET)
    this.#settle = Promise.withResolvers<Address>()
    this.result = this.#settle.promise
    const { clock, endpoint } = options
    const majority = clock.setTimer(() => this.#takeMinority(), Math.min(MAJORITY_MS, this.#limitMs))
    const limit = clock.setTimer(() => clock.afterIo(() => this.#giveUp()), this.#limitMs)
    options.signal?.addEventListener('abort', () => this.#giveUp(), { once: true })
    this.#endTimers = () => [majority, limit].forEach((timer) => clock.clearTimer(timer))
    for (const [position, sentinel] of endpoint.addresses.entries()) void this.#question(sentinel, position)
  }

  /** Kills every connection; what arrives later changes nothing. */
  end(): void {
    this.#over = true
    this.#endTimers()
    for (const connection of this.#connections) connection.kill()
  }

  async #question(sentinel: Address, position: number): Promise<void> {
    try {
      const address = await this.#askEach(await this.#addressesOf(sentinel))
      const key = showAddress(address)
      const vote = this.#votes.get(key) ?? { address, count: 0 }
      vote.count += 1
      this.#votes.set(key, vote)
    } catch (error) {
      this.#failures.set(position, error)
    }
    this.#answers += 1
    this.#look()
  }

  async #addressesOf(sentinel: Address): Promise<readonly Address[]> {
    if (sentinel.kind === 'socket') return [sentinel]
    const hosts = await (this.#options.lookup ?? systemLookup)(sentinel.host)
    return hosts.map((host) => atHost(sentinel, host))
  }

  /** A name may have several addresses: the first that answers counts. */
  async #askEach(addresses: readonly Address[]): Promise<Address> {
    let failure: unknown = new Error('the name has no address')
    for (const address of addresses) {
      if (this.#over) break
      try {
        return await this.#ask(address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #ask(sentinel: Address): Promise<Address> {
    const { endpoint } = this.#options
    const { connection, opened, closed } = this.#open(sentinel)
    try {
      await Promise.race([opened, closed])
      // Words said before the close are the better reason, so the close comes last.
      return await Promise.race([this.#talk(connection, endpoint.master ?? ''), closed])
    } finally {
      this.#connections.delete(connection)
      connection.kill()
    }
  }

  async #talk(connection: Connection, master: string): Promise<Address> {
    const { username, password } = this.#options.endpoint.sentinelCredentials
    const question: readonly Argument[] = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]
    if (password !== undefined)
      await connection.send(username === undefined ? ['AUTH', password] : ['AUTH', username, password], false)
    return masterIn(await connection.send(question, false))
  }

  #open(sentinel: Address): { connection: Connection; opened: Promise<void>; closed: Promise<never> } {
    const { driver, endpoint } = this.#options
    const opened = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<never>()
    closed.promise.catch(() => undefined)
    const options = {
      tls: tlsAt(sentinel, endpoint.tls),
      protocol: driver.protocols.includes(2) ? 2 : (driver.protocols[0] ?? 2),
      connectTimeoutMs: this.#limitMs,
      keepAliveMs: KEEP_ALIVE_MS,
    } as const
    const connection = driver.open(sentinel, options, {
      opened: opened.resolve,
      closed: (cause) => closed.reject(cause ?? new Error('the connection was closed')),
      message: () => undefined,
      invalidated: () => undefined,
    })
    this.#connections.add(connection)
    return { connection, opened: opened.promise, closed: closed.promise }
  }

  #takeMinority(): void {
    this.#minorityWillDo = true
    this.#look()
  }

  /** Is there enough to decide? */
  #look(): void {
    const sentinels = this.#options.endpoint.addresses.length
    const best = [...this.#votes.values()].reduce((best, vote) => (vote.count > best.count ? vote : best), NO_VOTE)
    const allAnswered = this.#answers === sentinels
    const enough = best.count > sentinels / 2 || allAnswered || this.#minorityWillDo
    if (best.address !== undefined && enough) this.#settle.resolve(best.address)
    else if (allAnswered) this.#settle.reject(this.#error())
  }

  #giveUp(): void {
    if (this.#over) return
    this.#settle.reject(this.#error())
  }

  #error(): EvenkeelError {
    const { addresses, master } = this.#options.endpoint
    const silent = new Error(`no answer within ${this.#limitMs} ms`)
    const failures = addresses.map((_, position) => this.#failures.get(position) ?? silent)
    const told = addresses.map((sentinel, i) => `${showAddress(sentinel)}: ${describeError(failures[i])}`)
    const text = `No sentinel names the master '${master}' (${told.join('; ')})`
    return new EvenkeelError('SENTINELS_AWAY', text, { cause: causeOf(failures), retryable: true })
  }
}

const NO_VOTE: { readonly address: Address | undefined; readonly count: number } = { address: undefined, count: 0 }

/** Sentinels that know no such master count as the cause only when most say so: one alone may have been set up anew. */
function causeOf(failures: readonly unknown[]): AggregateError {
  const others = failures.filter((failure) => !(failure instanceof NoSuchMaster))
  return new AggregateError(others.length < failures.length / 2 ? failures : others)
}

class NoSuchMaster extends Error {
  constructor() {
    super(NO_SUCH_MASTER)
  }
}

function masterIn(reply: Reply): Address {
  if (reply === null) throw new NoSuchMaster()
  const [host, port] = Array.isArray(reply) ? (reply as readonly Reply[]).map(String) : []
  if (host === undefined || host === '' || !(Number(port) > 0))
    throw new Error(`an answer that is none: ${String(reply)}`)
  return { kind: 'tcp', host, port: Number(port) }
}
