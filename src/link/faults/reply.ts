/** From the text of an error reply to the fault it means. By text and never by class: every client library has its own classes. */
import type { Executed } from '../../errors.ts'
import { AUTHENTICATION } from './authentication.ts'
import { CLUSTER } from './cluster.ts'
import type { Fault, FaultEntry } from './fault.ts'
import { PERSISTENCE } from './persistence.ts'
import { QUOTA } from './quota.ts'
import { SERVER_STATE } from './server-state.ts'
import { USAGE } from './usage.ts'

/** The first entry that fits is it. */
const REPLIES: readonly FaultEntry[] = [
  ...Object.values(SERVER_STATE),
  ...Object.values(PERSISTENCE),
  ...Object.values(CLUSTER),
  ...Object.values(AUTHENTICATION),
  ...Object.values(QUOTA),
  ...Object.values(USAGE),
]

/** Redis up to 6.2 wraps what a command inside a script was answered: `ERR Error running script (call to f_…): @user_script:1: -OOM …`. */
const WRAPPED = /^ERR Error running script .*?@user_script: ?\d+: -?([A-Z]{2,} .*)$/s

const SCRIPT_MARKER = /\bscript: \w+, on |@user_script|\bfunction: |Error running script/
const SCRIPT_COMMANDS = ['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO']

/** The fault that an error reply means; an unknown text is the fault `error-reply`, about this call only. */
export function faultOfReply(text: string): Fault {
  return knownFaultOfReply(text) ?? USAGE.errorReply
}

/** The same, or undefined when the text is not known. */
export function knownFaultOfReply(text: string): FaultEntry | undefined {
  const inner = WRAPPED.exec(text)?.[1]
  const unwrapped = inner === undefined ? undefined : entryOf(inner)
  return unwrapped ?? entryOf(text)
}

function entryOf(text: string): FaultEntry | undefined {
  return REPLIES.find((entry) => entry.replies?.some((pattern) => pattern.test(text)) === true)
}

/**
 * May a command that was answered with this error have had an effect? Redis checks before it runs a command, so an
 * error means no; but a script may have written before it failed, and EXEC goes on after a failed command.
 */
export function executedByReply(text: string, command: string): Executed {
  const name = command.toUpperCase()
  if (name === 'EXEC') return /^(EXECABORT|ERR EXEC without MULTI)\b/.test(text) ? 'no' : 'maybe'
  if (SCRIPT_COMMANDS.includes(name)) return SCRIPT_MARKER.test(text) ? 'maybe' : 'no'
  return faultOfReply(text).executed
}
