/** Everything outside the process: servers, the ways to them, the name service. And the driver that leads there. */
import type { Surroundings } from '../../src/link/connector.ts'
import type { Address, Argument, Driver } from '../../src/link/driver.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { ErrorReply, SimulatedConnection, systemError, type Manner } from './connection.ts'
import { Path, type Delay } from './path.ts'
import type { Chance } from './random.ts'
import { SimulatedServer, type ServerOptions } from './server.ts'

/** A server and the way to it. */
export interface Node {
  readonly host: string
  readonly server: SimulatedServer
  readonly path: Path
}

/** What the name service says: where the master is, nothing, that the name is unknown, or not even that. */
export type NameService = 'answers' | 'try-again' | 'unknown-name' | 'mute'

export interface WorldOptions extends Omit<ServerOptions, 'chance'> {
  readonly chance: Chance
  readonly delay: Delay
  readonly manner: Manner
  /** The name has a second address, on which nobody listens. */
  readonly deadAddress: boolean
}

/** What is told of a link's connections. */
export interface Observer {
  opening(connection: SimulatedConnection): void
  sending(connection: SimulatedConnection, args: readonly Argument[]): void
  over(connection: SimulatedConnection): void
}

const PORT = 6379

export class World {
  readonly clock: FakeClock
  readonly nodes: readonly [Node, Node]
  #namings: { readonly answer: NameService }[] = []
  /** The node that the name leads to. */
  master: Node
  readonly #options: WorldOptions

  constructor(options: WorldOptions) {
    this.#options = options
    this.clock = options.clock
    this.nodes = [this.#node('10.0.0.1'), this.#node('10.0.0.2')]
    ;[this.master] = this.nodes
    this.nodes[1].server.rank = 'slave'
  }

  get names(): NameService {
    return this.#namings.at(-1)?.answer ?? 'answers'
  }

  /** The name service answers otherwise; returns what ends it. */
  disturbNames(answer: NameService): () => void {
    const naming = { answer }
    this.#namings.push(naming)
    return () => {
      this.#namings = this.#namings.filter((other) => other !== naming)
    }
  }

  /** The other server becomes the master; the name leads there some time later. */
  failOver(nameAfterMs: number): void {
    const [first, second] = this.nodes
    const next = this.master === first ? second : first
    this.master.server.rank = 'slave'
    next.server.rank = 'master'
    this.clock.at(this.clock.now() + nameAfterMs, () => {
      this.master = next
    })
  }

  /** The link's view of the network. */
  surroundings(): Surroundings {
    return {
      clock: this.clock,
      resolve: () => this.#resolve(),
      worked: () => undefined,
      greeting: (address) => this.#greeting(address),
      tlsMismatch: () => Promise.resolve(undefined),
    }
  }

  driver(observer: Observer): Driver {
    return {
      name: 'simulated',
      protocols: [2, 3],
      open: (address, { connectTimeoutMs }, events) => {
        const { path, server } = this.#nodeAt(address)
        const connection = new SimulatedConnection({
          path,
          server,
          manner: this.#options.manner,
          connectTimeoutMs,
          events,
          onSend: (from, args) => observer.sending(from, args),
          onOver: (over) => observer.over(over),
        })
        observer.opening(connection)
        return connection
      },
      isErrorReply: (error) => error instanceof ErrorReply,
    }
  }

  #node(host: string): Node {
    const { clock, chance, delay } = this.#options
    const server = new SimulatedServer({ ...this.#options, chance: chance.fork() })
    return { host, server, path: new Path(clock, chance.fork(), delay) }
  }

  #nodeAt(address: Address): Node {
    const found = this.nodes.find(({ host }) => address.kind === 'tcp' && address.host === host)
    if (found !== undefined) return found
    const nowhere = this.#node('nowhere')
    nowhere.path.reach = 'refused'
    return nowhere
  }

  #resolve(): Promise<readonly Address[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Address[]>()
    this.clock.at(this.clock.now() + 1, () => {
      if (this.names === 'mute') return
      this.clock.io(() => {
        if (this.names === 'try-again') reject(systemError('EAI_AGAIN'))
        else if (this.names === 'unknown-name') reject(systemError('ENOTFOUND'))
        else resolve(this.#addresses())
      })
    })
    return promise
  }

  #addresses(): readonly Address[] {
    const hosts = this.#options.deadAddress ? ['10.0.0.9', this.master.host] : [this.master.host]
    return hosts.map((host) => ({ kind: 'tcp', host, port: PORT }))
  }

  #greeting(address: Address): Promise<string | undefined> {
    const { path, server } = this.#nodeAt(address)
    const said = path.reach === 'open' && path.up === 'pass' && path.down === 'pass' ? server.greeting : undefined
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const afterMs = said === undefined ? 200 : path.connectDelay() + path.downDelay()
    this.clock.at(this.clock.now() + afterMs, () => this.clock.io(() => resolve(said)))
    return promise
  }
}
