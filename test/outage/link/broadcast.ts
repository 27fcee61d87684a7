/**
 * Numbered messages from a publisher that the fault does not touch to a subscription of the link: what is missing must lie
 * in a gap that the subscriber was told.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Gap, RedisLink, Subscription } from '../../../src/link/index.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { RedisServer } from '../../support/redis-server.ts'

const PUBLISH_EVERY_MS = 20

interface Message {
  readonly n: number
  /** Wall clock: the server published it somewhere between these two. */
  readonly issuedAt: number
  readonly confirmedAt: number
}

export class Broadcast {
  readonly gaps: Gap[] = []
  readonly #server: RedisServer
  readonly #channel: string
  readonly #subscription: Subscription
  readonly #published: Message[] = []
  readonly #received = new Set<number>()
  readonly #publishing: Promise<void>
  #client: RawClient | undefined
  #stopped = false

  constructor(link: RedisLink, server: RedisServer) {
    this.#server = server
    this.#channel = `${link.name}:news`
    this.#subscription = link.subscribe('channel', [this.#channel], {
      message: (_channel, payload) => void this.#received.add(Number(payload.toString())),
      gap: (gap) => void this.gaps.push(gap),
    })
    this.#publishing = this.#publish()
  }

  get ready(): Promise<void> {
    return this.#subscription.ready
  }

  /** Has a message arrived that was published after that moment of the wall clock? */
  receivedSince(moment: number): boolean {
    return this.#published.some(({ n, issuedAt }) => issuedAt >= moment && this.#received.has(n))
  }

  /** Messages that never arrived, since the first that did. */
  get lost(): Message[] {
    const first = Math.min(...this.#received)
    return this.#published.filter(({ n }) => n > first && !this.#received.has(n))
  }

  /** Lost messages of which no gap tells. */
  get untold(): Message[] {
    return this.lost.filter(
      ({ issuedAt, confirmedAt }) => !this.gaps.some(({ since, until }) => since <= confirmedAt && issuedAt <= until),
    )
  }

  /** Ends the publishing; what is under way still arrives. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#client?.close()
    await this.#publishing
    await delay(2 * PUBLISH_EVERY_MS)
  }

  async #publish(): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      const issuedAt = Date.now()
      const confirmed = await this.#say(n).catch(() => false)
      if (confirmed) this.#published.push({ n, issuedAt, confirmedAt: Date.now() })
      await delay(PUBLISH_EVERY_MS)
    }
    this.#client?.close()
  }

  /** False when the server refuses; rejects while it is dead. */
  async #say(n: number): Promise<boolean> {
    if (this.#client === undefined || this.#client.closed) this.#client = await this.#server.connectLocally()
    return typeof (await this.#client.command('PUBLISH', this.#channel, n)) === 'number'
  }
}
