/** A Redis that can be frozen, killed, filled up and turned into a replica, and that tells what it has executed. */
import type { Argument, Reply } from '../../src/link/driver.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { execute, PENDING, type Scene } from './commands.ts'
import { refusalOf, type Condition } from './conditions.ts'
import { ErrorReply, systemError, type ServerEnd, type SimulatedConnection } from './connection.ts'
import type { Chance } from './random.ts'

export interface ServerOptions {
  readonly clock: FakeClock
  readonly chance: Chance
  readonly password: string | undefined
  readonly old: boolean
  readonly restricted: boolean
  /** The database that everybody is supposed to have selected. */
  readonly database: number
  /** Its clock minus ours at the beginning, and by how much it gains on ours in a millisecond. */
  readonly clockOffsetMs: number
  readonly clockDrift: number
  readonly onExecuted: (key: string, server: SimulatedServer) => void
}

export class SimulatedServer implements ServerEnd, Scene {
  conditions: ReadonlySet<Condition> = new Set()
  readonly old: boolean
  readonly restricted: boolean
  readonly database: number
  readonly scripts = new Set<string>()
  readonly data: Scene['data'] = new Map()
  /** What it is unless it was demoted. */
  rank: 'master' | 'slave' = 'master'
  runId: string
  readonly #options: ServerOptions
  readonly #clock: FakeClock
  readonly #connections = new Set<SimulatedConnection>()
  readonly #imposed: Condition[] = []
  #inbox: { readonly from: SimulatedConnection; readonly run: () => void }[] = []
  /** Faults may overlap: it runs again when the last of them has ended. */
  #kills = 0
  #freezes = 0

  constructor(options: ServerOptions) {
    this.#options = options
    this.#clock = options.clock
    this.old = options.old
    this.restricted = options.restricted
    this.database = options.database
    this.runId = this.#newRunId()
  }

  get alive(): boolean {
    return this.#kills === 0
  }

  get role(): 'master' | 'slave' {
    return this.conditions.has('demoted') ? 'slave' : this.rank
  }

  get password(): string | undefined {
    return this.conditions.has('rotated') ? 'another' : this.#options.password
  }

  get time(): number {
    const { clockOffsetMs, clockDrift } = this.#options
    return 1_770_000_000_000 + this.#clock.now() * (1 + clockDrift) + clockOffsetMs
  }

  // --- what the network brings ----------------------------------------------------------------------------------

  accept(connection: SimulatedConnection): string | undefined {
    this.#connections.add(connection)
    return this.greeting
  }

  /** What it says by itself to whoever comes in, before it turns him away. */
  get greeting(): string | undefined {
    if (!this.#serving || !this.conditions.has('full')) return undefined
    return 'ERR max number of clients reached'
  }

  receive(connection: SimulatedConnection, args: readonly Argument[]): void {
    this.#soon(connection, () => this.#process(connection, args.map(String)))
  }

  /** The other end has gone. What came from there before is read first. */
  gone(connection: SimulatedConnection): void {
    this.#soon(connection, () => this.forget(connection))
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection)
    connection.serverSide.blocked = undefined
  }

  // --- what fate, an operator or somebody else does -------------------------------------------------------------

  /** SIGSTOP: sockets fill up. Returns what lets it go on. */
  freeze(): () => void {
    this.#freezes += 1
    return () => {
      this.#freezes -= 1
      if (this.#serving) this.#readSockets()
    }
  }

  /** kill -9: sockets are closed, what lay in them is lost. Returns what starts it again. */
  kill({ empty }: { readonly empty: boolean }): () => void {
    this.#kills += 1
    this.#inbox = []
    for (const connection of this.#connections) connection.cutByServer(systemError('ECONNRESET'))
    if (empty) this.data.clear()
    this.scripts.clear()
    return () => {
      this.#kills -= 1
      this.runId = this.#newRunId()
    }
  }

  /** Brings a condition about; returns what ends it. */
  condition(condition: Condition): () => void {
    this.#imposed.push(condition)
    this.#setConditions()
    return () => {
      this.#imposed.splice(this.#imposed.indexOf(condition), 1)
      this.#setConditions()
    }
  }

  /** Somebody else publishes; false when it cannot be done now. */
  publishFromElsewhere(channel: string, payload: Buffer): boolean {
    if (this.#serving) this.publish(channel, payload)
    return this.#serving
  }

  /** Somebody else changes a key; false when it cannot be done now. */
  changeFromElsewhere(key: string): boolean {
    if (!this.#serving || this.role === 'slave') return false
    for (const { serverSide } of this.#connections) {
      const { tracking } = serverSide
      if (tracking?.prefixes.some((prefix) => key.startsWith(prefix)) === true)
        this.connection(tracking.redirect)?.invalidate([Buffer.from(key)])
    }
    return true
  }

  /** Somebody else pushes to a list; false when it cannot be done now. */
  pushFromElsewhere(key: string, element: string): boolean {
    if (this.#serving) this.push(key, element)
    return this.#serving
  }

  // --- what commands do -----------------------------------------------------------------------------------------

  connection(id: number): SimulatedConnection | undefined {
    for (const connection of this.#connections) if (connection.id === id) return connection
    return undefined
  }

  executed(key: string): void {
    this.#options.onExecuted(key, this)
  }

  publish(channel: string, payload: Buffer): number {
    let receivers = 0
    for (const connection of this.#connections) {
      const { channels, patterns } = connection.serverSide
      if (channels.has(channel)) {
        connection.message(channel, payload, undefined)
        receivers += 1
      }
      for (const pattern of patterns)
        if (channel.startsWith(pattern.slice(0, -1))) connection.message(channel, payload, pattern)
    }
    return receivers
  }

  push(key: string, element: string): void {
    for (const connection of this.#connections) {
      if (connection.serverSide.blocked?.key !== key) continue
      this.executed(key)
      this.#wake(connection, [key, element])
      return
    }
    const list = this.data.get(key)
    if (Array.isArray(list)) list.push(element)
    else this.data.set(key, [element])
  }

  block(connection: SimulatedConnection, key: string, forMs: number): void {
    const until = this.#clock.now() + forMs
    connection.serverSide.blocked = { key, until }
    this.#clock.at(until, () => this.#wakeIfDue(connection))
  }

  // --- inside ---------------------------------------------------------------------------------------------------

  get #serving(): boolean {
    return this.#kills === 0 && this.#freezes === 0
  }

  #newRunId(): string {
    return Math.floor(this.#options.chance.next() * 1e15)
      .toString(16)
      .padStart(40, '0')
  }

  #soon(from: SimulatedConnection, run: () => void): void {
    if (!this.alive) return
    if (this.#freezes > 0) this.#inbox.push({ from, run })
    else run()
  }

  /** What lies in the sockets is read connection by connection, in an order that nobody knows. */
  #readSockets(): void {
    const inbox = this.#inbox
    this.#inbox = []
    for (const connection of this.#options.chance.shuffled([...new Set(inbox.map(({ from }) => from))]))
      for (const { from, run } of inbox) if (from === connection) run()
    for (const connection of this.#connections) this.#wakeIfDue(connection)
  }

  #setConditions(): void {
    this.conditions = new Set(this.#imposed)
  }

  #process(connection: SimulatedConnection, args: readonly string[]): void {
    if (!this.#connections.has(connection)) return
    const { serverSide } = connection
    if (serverSide.blocked !== undefined) {
      serverSide.queue.push(args)
      return
    }
    const refusal = refusalOf(this, serverSide, args)
    const reply = refusal === undefined ? execute({ scene: this, connection, args }) : new ErrorReply(refusal)
    if (reply !== PENDING) connection.reply(reply)
  }

  #wakeIfDue(connection: SimulatedConnection): void {
    const { blocked } = connection.serverSide
    if (this.#serving && blocked !== undefined && blocked.until <= this.#clock.now()) this.#wake(connection, null)
  }

  #wake(connection: SimulatedConnection, reply: Reply): void {
    const { serverSide } = connection
    serverSide.blocked = undefined
    connection.reply(reply)
    for (const args of serverSide.queue.splice(0)) this.#process(connection, args)
  }
}
