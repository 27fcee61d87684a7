/**
 * Tells of each command that a caller sends, for tracing and histograms; while nobody listens it costs one look.
 */
import type { Clock } from '../clock.ts'
import { channels, type LinkCallMessage } from '../telemetry/channels.ts'
import type { Argument, Reply } from './driver.ts'

export function isListenedTo(): boolean {
  return channels.linkCallSettled.hasSubscribers || channels.linkCallBegun.hasSubscribers
}

export interface ToldCall {
  readonly args: readonly Argument[]
  readonly clock: Clock
  readonly run: () => Promise<Reply>
}

/** Runs the call and tells of it. Arguments may be secrets, so only the command's name is told. */
export function told(
  facts: Pick<LinkCallMessage, 'link' | 'address' | 'database'>,
  { args, clock, run }: ToldCall,
): Promise<Reply> {
  const [name] = Array.isArray(args) ? args : []
  const command = typeof name === 'string' || Buffer.isBuffer(name) ? name.toString().toUpperCase() : ''
  const message: LinkCallMessage = { ...facts, command, at: clock.wallNow(), durationMs: undefined, error: undefined }
  const startedAt = clock.now()
  channels.linkCallBegun.publish(message)
  const settled = (error?: unknown): void => {
    message.durationMs = clock.now() - startedAt
    message.error = error
    channels.linkCallSettled.publish(message)
  }
  const outcome = run()
  outcome.then(() => settled(), settled)
  return outcome
}
