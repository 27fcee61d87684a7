/**
 * Tells the other instances through Redis that there is a new order, so that whoever is idle starts at once.
 * Nobody waits for it, and an order whose message is lost is found by the sweep within a second.
 */
import { LinkError, type Logger } from 'evenkeel'
import type { RedisLink } from 'evenkeel/link'

const CHANNEL = 'orders:wake-up'

export interface WakeUpOptions {
  readonly link: RedisLink
  readonly logger: Logger
  /** Names this process: it need not be woken by its own message. */
  readonly instance: string
  /** Has nobody begun this order yet? */
  readonly isPending: (orderId: string) => Promise<boolean>
  /** Called when there may be something to do. */
  readonly wake: () => void
}

/** Was the message sent, and if not, why? */
export type Announcement = { readonly sent: true } | { readonly sent: false; readonly why: string }

export class WakeUp {
  readonly #options: WakeUpOptions

  constructor(options: WakeUpOptions) {
    this.#options = options
  }

  /** Returns at once; the subscription comes and goes with Redis by itself. */
  start(): void {
    const { link, instance, wake } = this.#options
    const subscription = link.subscribe('channel', [CHANNEL], {
      message: (_channel, payload) => {
        if (payload.toString() !== instance) wake()
      },
      // Messages may be missing: look.
      gap: wake,
    })
    // It rejects only when the link is closed, and then nobody waits for messages any more.
    subscription.ready.catch(() => undefined)
  }

  /** Returns at once, whatever Redis does. */
  announce(orderId: string): Announcement {
    const { link, instance } = this.#options
    const { can, reason } = link.health
    if (!can.publish) return { sent: false, why: reason.text }
    link.send(['PUBLISH', CHANNEL, instance]).catch((error: unknown) => void this.#failed(orderId, error))
    return { sent: true }
  }

  /** Which outage it was is told once, by Evenkeel; here only that this order is the sweep's, if it still is. */
  async #failed(orderId: string, error: unknown): Promise<void> {
    const { logger, isPending } = this.#options
    if (!(error instanceof LinkError)) {
      logger.error({ order: orderId, error }, `Redis: the wake-up of order ${orderId} failed.`)
      return
    }
    // The failure takes a while, an idle sweep does not. While the database is away nobody has begun anything.
    if (await isPending(orderId).catch(() => true))
      logger.info({ order: orderId, code: error.code }, sweepText(orderId, error.message))
  }
}

/** The line that operators look for while Redis is away. */
export function sweepText(orderId: string, why: string): string {
  return `Order ${orderId} will be processed by the scheduled sweep: ${why}`
}
