/**
 * Connections that we gave up and the server may not know of: what lies in their buffers must not run later, so they are
 * killed by their id as soon as the same server answers again.
 */
import type { ServerIdentity } from './redis-link.ts'

export class Leftovers {
  #runId: string | undefined
  #current: number | undefined
  #ids: number[] = []

  /** A connection to this server is in use; returns the ids of ours that are to be killed there. */
  adopted({ runId, clientId }: ServerIdentity): readonly number[] {
    const ids = runId !== undefined && runId === this.#runId ? this.#ids : []
    this.#runId = runId
    this.#current = clientId
    this.#ids = []
    return ids
  }

  /** The connection in use is given up. */
  givenUp(): void {
    if (this.#current !== undefined) this.#ids.push(this.#current)
    this.#current = undefined
  }
}
