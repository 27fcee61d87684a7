/**
 * A Lua script that the server keeps: called by its hash, and sent in full only to a server that does not know it
 * (one that was restarted, failed over, or whose scripts were flushed).
 */
import { createHash } from 'node:crypto'
import { systemClock, type Clock } from '../clock.ts'
import { LinkError, ReplyError } from '../errors.ts'
import type { Argument, Reply } from './driver.ts'
import type { RedisLink, SendOptions } from './redis-link.ts'

export interface ScriptCall extends Pick<SendOptions, 'buffers'> {
  /** `KEYS` of the script; in a cluster all of one slot. */
  readonly keys: readonly Argument[]
  /** `ARGV` of the script. */
  readonly args: readonly Argument[]
  /** The caller never waits longer, in milliseconds, whether or not the script has to be sent in full. */
  readonly deadlineMs: number
}

/** One script; make it once and run it on any link. */
export class Script {
  readonly source: string
  /** SHA-1 of the source in hex: the name by which the server knows it. */
  readonly hash: string
  readonly #clock: Pick<Clock, 'now'>

  constructor(source: string, clock: Pick<Clock, 'now'> = systemClock) {
    this.source = source
    this.hash = createHash('sha1').update(source).digest('hex')
    this.#clock = clock
  }

  /**
   * One round trip; two when the server has to learn the script first.
   * @throws LinkError like `link.send`
   */
  async run(link: Pick<RedisLink, 'send'>, { keys, args, deadlineMs, buffers = false }: ScriptCall): Promise<Reply> {
    const until = this.#clock.now() + deadlineMs
    const tail = [String(keys.length), ...keys, ...args]
    try {
      return await link.send(['EVALSHA', this.hash, ...tail], { deadlineMs, buffers })
    } catch (error) {
      if (!(error instanceof ReplyError) || error.prefix !== 'NOSCRIPT') throw error
      const leftMs = until - this.#clock.now()
      if (leftMs < 1) throw tooLate(error)
      return await link.send(['EVAL', this.source, ...tail], { deadlineMs: leftMs, buffers })
    }
  }
}

function tooLate(cause: ReplyError): LinkError {
  const message = 'The deadline passed before the script could be sent in full.'
  return new LinkError('LINK_DEADLINE', message, { executed: 'no', retryable: true, cause })
}
