/**
 * A connection as the link's driver contract has it, over a simulated path. Bytes keep their order in each direction.
 *
 *     send ──▶ up (delay, hold, lose) ──▶ server ──▶ down (delay, hold, lose) ──▶ io of the process ──▶ promise
 */
import type { Argument, Connection, ConnectionEvents, Reply, SubscriptionKind } from '../../src/link/driver.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { Flow, Path, PathUser } from './path.ts'

/** An error reply of the server. */
export class ErrorReply extends Error {}

/** In what the client libraries differ, and what the link must not depend on. */
export interface Manner {
  /** Promises in flight reject before `closed` is told, not after it. */
  readonly rejectsFirst: boolean
  /** Promises in flight reject after `kill()`, too; else they stay as they are. */
  readonly rejectsAfterKill: boolean
  /** A server that says why it hangs up is heard; else there is only a reset. */
  readonly hearsGreetings: boolean
}

/** What stands at the other end. */
export interface ServerEnd {
  /** Does it listen? */
  readonly alive: boolean
  /** Somebody has come in; returns what he is told before he is turned away again. */
  accept(connection: SimulatedConnection): string | undefined
  receive(connection: SimulatedConnection, args: readonly Argument[]): void
  gone(connection: SimulatedConnection): void
  /** The server's end of this connection is over. */
  forget(connection: SimulatedConnection): void
}

export interface ConnectionParts {
  readonly path: Path
  readonly server: ServerEnd
  readonly manner: Manner
  readonly connectTimeoutMs: number
  readonly events: ConnectionEvents
  readonly onSend: (connection: SimulatedConnection, args: readonly Argument[]) => void
  readonly onOver: (connection: SimulatedConnection) => void
}

interface Asked {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/** What lies at the server's end. */
export interface ServerSide {
  authenticated: boolean
  name: string
  database: number
  readonly channels: Set<string>
  readonly patterns: Set<string>
  /** What it tracks, and the id of the connection that is told. */
  tracking: { readonly redirect: number; readonly prefixes: readonly string[] } | undefined
  /** Waits inside the server, until the moment given. */
  blocked: { readonly key: string; readonly until: number } | undefined
  /** Came while it waited. */
  readonly queue: (readonly string[])[]
}

export class SimulatedConnection implements Connection, PathUser {
  static #count = 0
  /** When it was begun. */
  readonly openingAt: number
  /** As `CLIENT ID` tells it. */
  readonly id: number
  readonly serverSide: ServerSide = {
    authenticated: false,
    name: '',
    database: 0,
    channels: new Set(),
    patterns: new Set(),
    tracking: undefined,
    blocked: undefined,
    queue: [],
  }
  /** Was a subscription ever confirmed on it? */
  subscribed = false
  readonly #parts: ConnectionParts
  readonly #clock: FakeClock
  readonly #path: Path
  #state: 'connecting' | 'open' | 'over' = 'connecting'
  #asked: Asked[] = []
  readonly #up = new Direction(() => this.#path.up)
  readonly #down = new Direction(() => this.#path.down)
  /** At the server's end it is open. */
  #accepted = false

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#path = parts.path
    this.#clock = parts.path.clock
    this.openingAt = this.#clock.now()
    this.id = ++SimulatedConnection.#count
    this.#path.connections.add(this)
    this.#clock.at(this.#clock.now() + this.#path.connectDelay(), () => this.#arrive())
    this.#clock.at(this.#clock.now() + parts.connectTimeoutMs, () => {
      if (this.#state === 'connecting') this.#endSoon(systemError('ETIMEDOUT'))
    })
  }

  /** Ids count from 1 in every simulation. */
  static restart(): void {
    SimulatedConnection.#count = 0
  }

  /** Is it open as far as the process knows? */
  get open(): boolean {
    return this.#state === 'open'
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  // --- the process's end ----------------------------------------------------------------------------------------

  send(args: readonly Argument[]): Promise<Reply> {
    if (this.#state !== 'open') return Promise.reject(new Error('The connection is not open'))
    this.#parts.onSend(this, args)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#travelUp(() => this.#parts.server.receive(this, args))
    })
  }

  async subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    await this.send([kind === 'channel' ? 'SUBSCRIBE' : 'PSUBSCRIBE', ...names])
    this.subscribed = true
  }

  async unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    await this.send([kind === 'channel' ? 'UNSUBSCRIBE' : 'PUNSUBSCRIBE', ...names])
  }

  kill(): void {
    if (this.#state === 'over') return
    this.#over()
    this.#clock.io(() => {
      this.#parts.events.closed(undefined)
      if (this.#parts.manner.rejectsAfterKill) this.#rejectAll(new Error('Disconnected'))
    })
    this.#travelUp(() => this.#parts.server.gone(this))
  }

  // --- the server's end -----------------------------------------------------------------------------------------

  reply(reply: Reply): void {
    this.#travelDown(() => this.#answer(reply))
  }

  /** The message comes with the id of the connection behind it. */
  message(channel: string, payload: Buffer, pattern: string | undefined): void {
    const marked = Buffer.from(`${payload.toString()} ${this.id}`)
    this.#travelDown(() => this.#parts.events.message(channel, marked, pattern))
  }

  /** On RESP2 only to whoever is subscribed. */
  invalidate(keys: readonly Buffer[]): void {
    if (!this.serverSide.channels.has('__redis__:invalidate')) return
    this.#travelDown(() => this.#parts.events.invalidated(keys))
  }

  /** The server's end is over; the process hears of it when the way there is free. */
  cutByServer(cause: Error | undefined): void {
    this.#accepted = false
    this.#parts.server.forget(this)
    this.#travel(this.#down, this.#path.downDelay(), {
      run: () =>
        this.#clock.io(() => {
          if (this.#state !== 'over') this.#end(cause ?? new Error('Socket closed unexpectedly'))
        }),
      isReset: true,
    })
  }

  /** The way is free again. */
  release(afterMs: number): void {
    if (this.#up.idle && this.#down.idle) return
    this.#clock.at(this.#clock.now() + afterMs, () => {
      // Whose sender has gone is not sent again.
      if (afterMs > 0 && this.#state === 'over') this.#up.forget()
      this.#up.release()
      this.#down.release()
    })
  }

  // --- between --------------------------------------------------------------------------------------------------

  /** The first packet has reached whoever is there. */
  #arrive(): void {
    if (this.#state !== 'connecting') return
    const reach = this.#path.up === 'interrupt' || this.#path.up === 'lose' ? 'black-hole' : this.#path.reach
    if (reach === 'black-hole') return
    if (reach === 'unreachable') this.#endSoon(systemError('EHOSTUNREACH'))
    else if (reach === 'refused' || (reach === 'open' && !this.#parts.server.alive))
      this.#endSoon(systemError('ECONNREFUSED'))
    else this.#welcome(reach)
  }

  #welcome(reach: Path['reach']): void {
    this.#accepted = reach === 'open'
    this.#clock.io(() => {
      if (this.#state !== 'connecting') return
      this.#state = 'open'
      this.#parts.events.opened()
    })
    if (reach === 'silent') this.#up.lose()
    else if (reach === 'hung-up') this.cutByServer(undefined)
    else if (reach === 'not-redis') this.cutByServer(new Error('Unknown RESP type 72 "H"'))
    else this.#greet()
  }

  #greet(): void {
    const refusal = this.#parts.server.accept(this)
    if (refusal === undefined) return
    this.cutByServer(this.#parts.manner.hearsGreetings ? new ErrorReply(refusal) : systemError('ECONNRESET'))
  }

  #travelUp(arrive: () => void): void {
    const run = (): void => {
      if (this.#accepted) arrive()
    }
    this.#travel(this.#up, this.#path.upDelay(), { run, isReset: false })
  }

  #travelDown(arrive: () => void): void {
    const run = (): void =>
      this.#clock.io(() => {
        if (this.#state !== 'over') arrive()
      })
    this.#travel(this.#down, this.#path.downDelay(), { run, isReset: false })
  }

  #travel(direction: Direction, delayMs: number, packet: Packet): void {
    direction.busyUntil = Math.max(direction.busyUntil, this.#clock.now() + delayMs)
    this.#clock.at(direction.busyUntil, () => direction.arrive(packet))
  }

  #answer(reply: Reply): void {
    const asked = this.#asked.shift()
    if (asked === undefined) this.#end(new Error('A reply that nobody asked for'))
    else if (reply instanceof ErrorReply) asked.reject(reply)
    else asked.resolve(reply)
  }

  #endSoon(cause: Error): void {
    this.#clock.io(() => {
      if (this.#state !== 'over') this.#end(cause)
    })
  }

  #end(cause: Error): void {
    this.#over()
    const { events, manner } = this.#parts
    if (manner.rejectsFirst) {
      this.#rejectAll(cause)
      this.#clock.io(() => events.closed(cause))
    } else {
      events.closed(cause)
      this.#rejectAll(cause)
    }
  }

  #over(): void {
    this.#state = 'over'
    this.#parts.onOver(this)
  }

  #rejectAll(cause: Error): void {
    const asked = this.#asked
    this.#asked = []
    for (const { reject } of asked) reject(cause)
  }
}

interface Packet {
  readonly run: () => void
  /** Needs nothing of what came before it. */
  readonly isReset: boolean
}

/** One direction of a connection. */
class Direction {
  /** Nothing overtakes what is on its way until then. */
  busyUntil = 0
  readonly #flow: () => Flow
  #held: Packet[] = []
  #lost = false

  constructor(flow: () => Flow) {
    this.#flow = flow
  }

  get idle(): boolean {
    return this.#held.length === 0
  }

  arrive(packet: Packet): void {
    if (this.#lost && !packet.isReset) return
    const flow = this.#flow()
    if (flow === 'lose') this.lose()
    else if (flow === 'pass' && this.idle) packet.run()
    else this.#held.push(packet)
  }

  /** A hole that nobody fills: what comes after it cannot be delivered either. */
  lose(): void {
    this.#lost = true
    this.#held = []
  }

  /** What waits here is given up by its sender. */
  forget(): void {
    if (!this.idle) this.lose()
  }

  release(): void {
    if (this.#flow() !== 'pass') return
    const held = this.#held
    this.#held = []
    for (const { run } of held) run()
  }
}

/** An error as the operating system reports it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code === 'ECONNRESET' ? 'read' : 'connect'} ${code}`), { code })
}
