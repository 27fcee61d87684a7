/**
 * What keeps a write from landing late: the command travels inside a script that asks the server's own clock first.
 * A frozen server that thaws finds the deadline passed and answers LATE instead of running what nobody waits for any more.
 *
 * The deadline is told in the server's time. Its offset to our clock is measured as `server time - our time on receipt`,
 * which is too low by the way back of that reply and never too high: the fence may close early, never late.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { LinkError, ReplyError } from '../errors.ts'
import { keysOf } from './commands/commands.ts'
import type { Argument, Reply } from './driver.ts'
import { executedByReply, faultOfReply, reasonOf } from './faults.ts'
import { timed } from './handshake.ts'
import { Call } from './pending.ts'
import type { LinkSettings } from './settings.ts'
import type { Wire } from './wire.ts'

/** ARGV[1] is the deadline in milliseconds of the server's clock, the rest is the command. */
export const FENCE_SCRIPT = `local t = redis.call('TIME')
if t[1] * 1000 + t[2] / 1000 > tonumber(ARGV[1]) then
  return redis.error_reply('LATE the deadline of this command had passed when the server reached it')
end
return redis.call(unpack(ARGV, 2))`
const SHA = createHash('sha1').update(FENCE_SCRIPT).digest('hex')

/** Lua's unpack takes about 8,000 values. */
const MAX_ARGUMENTS = 4000

/** What Redis adds to the error of a command that ran inside a script, by version. */
const SCRIPT_SUFFIX = / ?script: [0-9a-f]{40}, on @user_script:\d+\.$/
const SCRIPT_PREFIX = /^ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script: ?\d+: -?/

export interface FenceOptions {
  readonly clock: Clock
  readonly settings: LinkSettings
}

/** Sends commands behind the fence of one server. */
export class Fence {
  readonly #clock: Clock
  readonly #settings: LinkSettings
  #offset: { readonly ms: number; readonly at: number } | undefined
  #measuring = false

  constructor({ clock, settings }: FenceOptions) {
    this.#clock = clock
    this.#settings = settings
  }

  /** The offset that the handshake measured; undefined where the server refuses TIME. */
  measured(offsetMs: number | undefined): void {
    this.#offset = offsetMs === undefined ? undefined : { ms: offsetMs, at: this.#clock.now() }
  }

  /** Sends the command; it runs before its deadline or not at all. */
  async send(wire: Wire, call: Call): Promise<Reply> {
    const until = this.#clock.now() + call.deadlineMs
    this.#refresh(wire)
    try {
      return await this.#evaluate(wire, call, until)
    } catch (error) {
      // Late although there was time left: the offset was measured in a slow moment, and is too low by that.
      const early = this.#clock.now() < until
      if (early && error instanceof LinkError && error.code === 'LINK_LATE') void this.#measure(wire)
      throw error
    }
  }

  async #evaluate(wire: Wire, call: Call, until: number): Promise<Reply> {
    const tail = this.#tail(call, until)
    try {
      return await this.#attempt(wire, ['EVALSHA', SHA, ...tail], call)
    } catch (error) {
      if (!(error instanceof ReplyError) || error.prefix !== 'NOSCRIPT') throw error
      const leftMs = until - this.#clock.now()
      return await this.#attempt(wire, ['EVAL', FENCE_SCRIPT, ...tail], { ...callOf(call), deadlineMs: leftMs })
    }
  }

  async #attempt(wire: Wire, args: readonly Argument[], call: CallShape): Promise<Reply> {
    try {
      return await wire.dispatch(new Call(args, call.deadlineMs, call.buffers))
    } catch (error) {
      throw error instanceof ReplyError ? unwrapped(error, String(call.args[0])) : error
    }
  }

  #tail(call: Call, until: number): Argument[] {
    if (this.#offset === undefined)
      throw new LinkError('LINK_ARGUMENT', 'Cannot fence: this server does not tell its TIME.', { executed: 'no' })
    if (call.args.length > MAX_ARGUMENTS)
      throw new LinkError('LINK_ARGUMENT', `Cannot fence more than ${MAX_ARGUMENTS} arguments.`, { executed: 'no' })
    const keys = keysOf(call.args)
    return [String(keys.length), ...keys, (until + this.#offset.ms).toFixed(3), ...call.args]
  }

  /** Clocks drift and are set: the offset is measured again now and then, beside the calls. */
  #refresh(wire: Wire): void {
    if (this.#offset !== undefined && this.#clock.now() - this.#offset.at >= this.#settings.offsetMaxAgeMs)
      void this.#measure(wire)
  }

  async #measure(wire: Wire): Promise<void> {
    if (this.#measuring) return
    this.#measuring = true
    const context = { wire, clock: this.#clock, deadlineMs: this.#settings.readDeadlineMs }
    const offsetMs = await timed(context).catch(() => undefined)
    this.#measuring = false
    if (offsetMs !== undefined) this.measured(offsetMs)
  }
}

type CallShape = Pick<Call, 'args' | 'deadlineMs' | 'buffers'>

function callOf({ args, deadlineMs, buffers }: Call): CallShape {
  return { args, deadlineMs, buffers }
}

/** The error as the command alone would have got it. */
function unwrapped(error: ReplyError, command: string): ReplyError {
  const text = error.message.replace(SCRIPT_PREFIX, '').replace(SCRIPT_SUFFIX, '')
  if (text === error.message) return error
  const fault = faultOfReply(text)
  const { retryable } = fault
  return new ReplyError(text, { executed: executedByReply(text, command), retryable, reason: reasonOf(fault, text) })
}
