/** From the text of an error reply to the fault it means. By text and never by class: every client library has its own classes. */
import type { Executed } from '../../errors.ts'
import { AUTHENTICATION } from './authentication.ts'
import { CLUSTER } from './cluster.ts'
import type { Fault, FaultEntry } from './fault.ts'
import { PERSISTENCE } from './persistence.ts'
import { QUOTA } from './quota.ts'
import { SERVER_STATE } from './server-state.ts'
import { TLS } from './tls.ts'
import { USAGE } from './usage.ts'

/** The first entry that fits is it. */
const REPLIES: readonly FaultEntry[] = [SERVER_STATE, PERSISTENCE, CLUSTER, AUTHENTICATION, TLS, QUOTA, USAGE].flatMap(
  (group): FaultEntry[] => Object.values(group),
)

/** Replies that carry another one inside, which says more. */
const WRAPPERS: readonly RegExp[] = [
  // What a command inside a script was answered, up to Redis 6.2: `ERR Error running script (call to f_…): @user_script:1: -OOM …`.
  /^ERR Error running script .*?@user_script: ?\d+: -?([A-Z]{2,} .*)$/s,
  // Why EXEC was refused, from Redis 7: `EXECABORT Transaction discarded because of: OOM …`.
  /^EXECABORT Transaction discarded because of: ([A-Z]{2,} .*)$/s,
]

/** The fault that an error reply means; an unknown text is the fault `error-reply`, about this call only. */
export function faultOfReply(text: string): Fault {
  return knownFaultOfReply(text) ?? USAGE.errorReply
}

/** The same, or undefined when the text is not known. */
export function knownFaultOfReply(text: string): FaultEntry | undefined {
  for (const wrapper of WRAPPERS) {
    const inner = wrapper.exec(text)?.[1]
    const entry = inner === undefined ? undefined : entryOf(inner)
    if (entry !== undefined) return entry
  }
  return entryOf(text)
}

function entryOf(text: string): FaultEntry | undefined {
  return REPLIES.find((entry) => entry.replies?.some((pattern) => pattern.test(text)) === true)
}

const SCRIPT_COMMANDS = ['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO']
/** Redis 7 puts the place where a script failed at the end of the reply, older ones at its beginning. */
const FAILED_IN_SCRIPT = / script: \w+, on @\w+:\d+\.$|^ERR Error running script /
/** A script can return these by itself, from `redis.pcall` or `redis.error_reply`, after it has written. */
const SAID_BY_SCRIPTS: readonly Fault[] = [USAGE.errorReply, USAGE.wrongType, USAGE.noGroup, QUOTA.size, QUOTA.capacity]
const SCRIPT_NOT_STARTED =
  /^ERR (Error compiling script|Function not found|Number of keys|wrong number of arguments for '(eval|fcall))/

/**
 * May a command that was answered with this error have had an effect? Redis checks before it runs a command, so an
 * error means no; but a script may have written before it failed, and EXEC goes on after a failed command.
 */
export function executedByReply(text: string, command: string): Executed {
  const fault = faultOfReply(text)
  const name = command.toUpperCase()
  if (fault === USAGE.late) return 'no'
  if (name === 'EXEC') return /^(EXECABORT|ERR EXEC without MULTI)\b/.test(text) ? 'no' : 'maybe'
  if (!SCRIPT_COMMANDS.includes(name)) return fault.executed
  if (FAILED_IN_SCRIPT.test(text)) return 'maybe'
  return SAID_BY_SCRIPTS.includes(fault) && !SCRIPT_NOT_STARTED.test(text) ? 'maybe' : fault.executed
}
