/**
 * Hears from the sentinels when another server becomes the master. The old one is told last, up to ten seconds later, and
 * until then goes on taking writes that nobody will ever see; so the link leaves it at the first sentinel's word.
 *
 *     sentinel ──+switch-master──▶ watch ──moved──▶ the link leaves the old master
 *                                    └─announced──▶ its next attempts go to the new one
 *
 * The other sentinels hear of it a moment later, and meanwhile a majority still names the old master: for that long what was
 * announced goes before their vote. Whoever connects sees by ROLE whether it is a master.
 */
import type { Clock, Random } from '../clock.ts'
import { pulse, type Stop } from './activities.ts'
import { Connector, type Outcome, type Surroundings } from './connector.ts'
import { newCounters } from './counters.ts'
import type { Address, Driver, Reply } from './driver.ts'
import { showAddress, type Endpoint } from './endpoint.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import type { AttemptGate } from './gate.ts'
import { Lane } from './lane.ts'
import type { LinkSettings } from './settings.ts'
import type { Wire } from './wire.ts'

/** Sees that another server has taken over; runs while the link is in use. */
export interface Watch {
  start(): void
  stop(): void
}

/** Sentinels greet each other every 2 s: by then all of them know. */
const ANNOUNCED_FOR_MS = 5000

/** What is known of the master beside the sentinels' vote. */
export class Master {
  readonly #clock: Clock
  #announced: Address | undefined
  #until = -Infinity
  /** The server that was connected to last. */
  inUse: Address | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The new one, for as long as the vote may lag behind. */
  get announced(): Address | undefined {
    return this.#clock.now() < this.#until ? this.#announced : undefined
  }

  /** Notes a new one; false when there is nothing new in it. */
  announce(address: Address): boolean {
    if ([this.inUse, this.announced].some((known) => known !== undefined && isSame(known, address))) return false
    this.#announced = address
    this.#until = this.#clock.now() + ANNOUNCED_FOR_MS
    return true
  }
}

export interface SentinelWatchOptions {
  readonly driver: Driver
  /** Its addresses are the sentinels. */
  readonly endpoint: Endpoint
  readonly settings: LinkSettings
  readonly random: Random
  readonly surroundings: Surroundings
  readonly gate: AttemptGate<Outcome>
  readonly master: Master
  /** The link has to leave the server that it uses. */
  readonly moved: (detail: string) => void
}

const SWITCH = '+switch-master'
/** A sentinel that is away is not missed as long as another is there. */
const RETRY = { firstMs: 1000, capMs: 15_000 }
/** A connection to a sentinel is looked after less often than one to Redis. */
const HEARTBEATS = 5

export class SentinelWatch implements Watch {
  readonly #options: SentinelWatchOptions
  readonly #ears: readonly Ear[]
  #running = false

  constructor(options: SentinelWatchOptions) {
    this.#options = options
    this.#ears = options.endpoint.addresses.map((sentinel) => new Ear(options, { sentinel, owner: this }))
  }

  get running(): boolean {
    return this.#running
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    for (const ear of this.#ears) ear.open()
  }

  stop(): void {
    this.#running = false
    for (const ear of this.#ears) ear.close()
  }

  /** `<name of the master> <old host> <old port> <new host> <new port>` */
  heard(message: string): void {
    const [master, oldHost, oldPort, host, port] = message.split(' ')
    if (master !== this.#options.endpoint.master || host === undefined || !(Number(port) > 0)) return
    this.#announce(
      { kind: 'tcp', host, port: Number(port) },
      `the sentinels replaced ${oldHost}:${oldPort} by ${host}:${port}`,
    )
  }

  /** This sentinel names another master than ours: it may be behind the times, or we missed its word. */
  async doubted(named: Address): Promise<void> {
    const { surroundings, endpoint, settings, master } = this.#options
    if (master.inUse === undefined || isSame(master.inUse, named)) return
    const [voted] = await surroundings.resolve(endpoint, settings.handshakeMs, new AbortController().signal)
    if (voted !== undefined && isSame(voted, named)) this.#announce(named, `the sentinels name ${showAddress(named)}`)
  }

  #announce(address: Address, detail: string): void {
    const { master, moved } = this.#options
    if (this.#running && master.announce(address)) moved(detail)
  }
}

/** The connection to one sentinel. */
class Ear {
  readonly #options: SentinelWatchOptions
  readonly #owner: SentinelWatch
  readonly #lane: Lane
  #stopPulse: Stop = () => undefined

  constructor(options: SentinelWatchOptions, { sentinel, owner }: { sentinel: Address; owner: SentinelWatch }) {
    const { driver, settings, random, gate } = options
    const endpoint = endpointOf(options.endpoint, sentinel)
    // A sentinel that answers is not the master that is in use.
    const surroundings = { ...options.surroundings, worked: () => undefined }
    this.#options = options
    this.#owner = owner
    this.#lane = new Lane(
      {
        clock: surroundings.clock,
        random,
        settings: { ...settings, reconnect: RETRY },
        // What the link counts is about Redis.
        connector: new Connector({ driver, endpoint, settings, surroundings, counters: newCounters() }),
        enterGate: (attempt) => gate.enter(`sentinel ${showAddress(sentinel)}`, attempt),
      },
      {
        wanted: () => owner.running,
        opened: (wire) => this.#opened(wire),
        lost: () => this.#stopPulse(),
        message: (_channel, payload) => owner.heard(payload.toString()),
        invalidated: () => undefined,
      },
    )
  }

  open(): void {
    this.#lane.maintain()
  }

  close(): void {
    this.#stopPulse()
    this.#lane.drop(reasonOf(LINK_FAULTS.closed))
  }

  async #opened(wire: Wire): Promise<void> {
    const { endpoint, settings, surroundings } = this.#options
    const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', endpoint.master ?? '']
    const named = addressIn(await wire.request(question, settings.handshakeMs))
    await wire.subscribe('channel', [SWITCH], settings.handshakeMs)
    if (wire !== this.#lane.wire) return
    this.#stopPulse = pulse({
      wire,
      clock: surroundings.clock,
      everyMs: settings.heartbeatMs * HEARTBEATS,
      timeoutMs: settings.silenceMs,
      onDead: (detail) => this.#lane.giveUp(wire, LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent, detail)),
    })
    // Nobody answered the vote: then there is nothing to be said against the server in use.
    if (named !== undefined) this.#owner.doubted(named).catch(() => undefined)
  }
}

/** The sentinel as a server to connect to. */
function endpointOf(endpoint: Endpoint, sentinel: Address): Endpoint {
  const { tls, clientName, sentinelCredentials } = endpoint
  return {
    ...sentinelCredentials,
    topology: 'single',
    addresses: [sentinel],
    master: undefined,
    database: 0,
    tls,
    clientName,
    sentinelCredentials,
  }
}

function addressIn(reply: Reply): Address | undefined {
  const [host, port] = Array.isArray(reply) ? (reply as readonly Reply[]).map(String) : []
  return host === undefined || !(Number(port) > 0) ? undefined : { kind: 'tcp', host, port: Number(port) }
}

/** A server in use has been looked up; it is announced as its IP address or as its name. */
function isSame(inUse: Address, announced: Address): boolean {
  if (inUse.kind !== 'tcp' || announced.kind !== 'tcp' || inUse.port !== announced.port) return false
  return inUse.host === announced.host || inUse.name === announced.host
}
