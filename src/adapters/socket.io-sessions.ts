/** Sessions of socket.io's clients that were cut off, and what they missed meanwhile: `connectionStateRecovery` across servers. */
import { MessageType } from 'socket.io-adapter'
import type { Clock } from '../clock.ts'
import type { Events } from '../events/index.ts'
import { unpacked, type Envelope, type KeptSession, type Packet, type socketIoTopics } from './socket.io-messages.ts'

export interface SessionsOptions {
  readonly events: Pick<Events<typeof socketIoTopics>, 'replay'>
  /** Topic of the broadcasts that are kept. */
  readonly topic: string
  readonly clock: Clock
  readonly keepMs: number
}

/** A session as it was, with what its client missed. */
export interface FoundSession extends KeptSession {
  readonly missedPackets: unknown[][]
}

const PAGE = 1000

export class Sessions {
  readonly #options: SessionsOptions
  readonly #all = new Map<string, { readonly session: KeptSession; readonly until: number }>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  keep(session: KeptSession): void {
    const { clock, keepMs } = this.#options
    const now = clock.now()
    // The oldest is the first.
    for (const [pid, { until }] of this.#all) {
      if (until > now) break
      this.#all.delete(pid)
    }
    this.#all.delete(session.pid)
    this.#all.set(session.pid, { session, until: now + keepMs })
  }

  /** Undefined: there is none, or not all that its client missed can be had. */
  async find(pid: string, offset: string): Promise<FoundSession | undefined> {
    const kept = this.#all.get(pid)
    if (kept === undefined || kept.until <= this.#options.clock.now()) return undefined
    const missedPackets = await this.#missedBy(kept.session, offset)
    return missedPackets && { ...kept.session, missedPackets }
  }

  async #missedBy({ rooms }: KeptSession, offset: string): Promise<unknown[][] | undefined> {
    const { events, topic } = this.#options
    const missed: unknown[][] = []
    let after = offset
    for (let isMore = true; isMore;) {
      const page = await events.replay(topic, after, { limit: PAGE })
      if (!page.complete) return undefined
      for (const { payload, lastId } of page.events) {
        const data = broadcastFor(rooms, unpacked(payload) as Envelope)
        if (data !== undefined) missed.push([...data, lastId])
      }
      after = page.lastId
      isMore = page.more
    }
    return missed
  }
}

/** What was broadcast to one of these rooms, or to all; undefined: it was for others. */
function broadcastFor(own: readonly string[], envelope: Envelope): readonly unknown[] | undefined {
  if (envelope.kind !== 'message' || envelope.message.type !== MessageType.BROADCAST) return undefined
  const { opts, packet } = envelope.message.data
  const isFor = opts.rooms.length === 0 || own.some((room) => opts.rooms.includes(room))
  if (!isFor || own.some((room) => opts.except.includes(room))) return undefined
  return (packet as Packet).data
}
