/**
 * What must not come out of a link: words on the console, warnings, rejections that nobody handles, and whatever is still
 * there when every link is closed.
 */
import { channel } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 50
const LOOKS = 60

/** Collects what escapes, from its creation to `stop()`. */
export class Strays {
  readonly escaped: string[] = []
  readonly #note = (what: unknown): void => void this.escaped.push(String(what))
  readonly #consoles = { error: console.error, warn: console.warn }

  constructor() {
    process.on('warning', this.#note)
    process.on('unhandledRejection', this.#note)
    process.on('uncaughtExceptionMonitor', this.#note)
    Object.assign(console, { error: this.#note, warn: this.#note })
  }

  stop(): void {
    process.off('warning', this.#note)
    process.off('unhandledRejection', this.#note)
    process.off('uncaughtExceptionMonitor', this.#note)
    Object.assign(console, this.#consoles)
  }
}

/** Everything that keeps a process alive or listens in it, counted by kind. */
export function resources(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  const count = (kind: string, by = 1): void => void (counts[kind] = (counts[kind] ?? 0) + by)
  for (const kind of process.getActiveResourcesInfo()) count(kind)
  for (const event of process.eventNames()) count(`process.on ${String(event)}`, process.listenerCount(event))
  if (channel('net.client.socket').hasSubscribers) count('subscriber of net.client.socket')
  return counts
}

/** What there still is more of than before, a few seconds later; empty: nothing. */
export async function grownSince(before: ReturnType<typeof resources>): Promise<readonly string[]> {
  let grown: readonly string[] = []
  // Not by `eventually`, whose own timers would be counted.
  for (let looks = 0; looks < LOOKS && (looks === 0 || grown.length > 0); looks++) {
    await delay(LOOK_EVERY_MS)
    grown = Object.entries(resources())
      .filter(([kind, count]) => count > (before[kind] ?? 0))
      .map(([kind, count]) => `${kind}: ${count} instead of ${before[kind] ?? 0}`)
  }
  return grown
}
