/**
 * What callers hand in, looked at before anything is done with it. Plain JavaScript lets everything through, and what the
 * link does not refuse here would come out as a timer that fires at once, a call that never settles, or an exception.
 */
import { LinkError } from '../errors.ts'
import type { Argument, SubscriptionKind } from './driver.ts'

/** A timer takes 24 days and a little more, which is for a deadline on top; a longer one would fire at once, again and again. */
const LONGEST_MS = 24 * 86_400_000
const KINDS: readonly unknown[] = ['channel', 'pattern'] satisfies SubscriptionKind[]

/** The refusal of a command that is none; undefined: it can be sent. */
export function wrongWords(args: readonly Argument[]): LinkError | undefined {
  if (!Array.isArray(args)) return refusal('Cannot send', 'a command is a list of words.')
  if (args.length === 0) return refusal('Cannot send', 'a command has at least one word.')
  for (const word of args) if (!isWord(word)) return refusal(sending(args), 'every word must be a string or a Buffer.')
  return undefined
}

/** The refusal of a time that nobody can wait for; undefined: it is one. */
export function wrongWait(
  args: readonly Argument[],
  option: 'deadlineMs' | 'blockMs',
  ms: number,
): LinkError | undefined {
  const enough = option === 'blockMs' ? ms >= 0 : ms > 0
  if (typeof ms === 'number' && enough && ms <= LONGEST_MS) return undefined
  const range = option === 'blockMs' ? 'from 0' : 'above 0'
  return refusal(sending(args), `'${option}' must be a number ${range} up to ${LONGEST_MS}, got ${String(ms)}.`)
}

/** The refusal of a subscription that no server could confirm; undefined: it can be asked for. */
export function wrongSubscription(kind: SubscriptionKind, names: readonly string[]): LinkError | undefined {
  if (!KINDS.includes(kind)) return refusal('Cannot subscribe', `'kind' must be 'channel' or 'pattern', got '${kind}'.`)
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return undefined
  return refusal('Cannot subscribe', 'the names must be a list of strings.')
}

/** The refusal of a prefix that cannot be tracked beside the others; undefined: it can. */
export function wrongPrefix(prefix: string, others: Iterable<string>): LinkError | undefined {
  if (typeof prefix !== 'string' || prefix === '') return refusal('Cannot track', "'prefix' must be a text, not empty.")
  for (const other of others)
    if (overlap(prefix, other))
      return refusal('Cannot track', `'${prefix}' and '${other}', which is tracked already, begin alike.`)
  return undefined
}

/** Is there a key that begins with both? */
export function overlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}

function isWord(word: unknown): boolean {
  return typeof word === 'string' || Buffer.isBuffer(word)
}

function sending([name]: readonly Argument[]): string {
  return `Cannot send '${String(name)}'`
}

function refusal(what: string, why: string): LinkError {
  return new LinkError('LINK_ARGUMENT', `${what}: ${why}`, { executed: 'no' })
}
