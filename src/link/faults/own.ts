/** What the link finds out by itself, without an error from the server or the network. */
import { AUTHENTICATION } from './authentication.ts'
import type { FaultEntries } from './fault.ts'
import { NETWORK } from './network.ts'
import { SERVER_STATE } from './server-state.ts'
import { TLS } from './tls.ts'

/** Named conditions and faults that the link itself raises. */
export const LINK_FAULTS = {
  starting: {
    code: 'starting',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'The first connection to Redis is being made.',
    nextStep: 'Nothing to do.',
  },
  connected: {
    code: 'connected',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'Redis answers in time.',
    nextStep: 'Nothing to do.',
  },
  noAnswer: {
    code: 'no-answer',
    reaction: 'none',
    executed: 'maybe',
    retryable: true,
    meaning: 'Redis did not answer this call within its deadline.',
    nextStep:
      'If it goes on, the health of the link says why: slow, silent or down. A call that needs longer may be given a longer deadline.',
  },
  silent: {
    code: 'silent',
    reaction: 'down',
    executed: 'maybe',
    retryable: true,
    meaning: 'The connection is open, but Redis has stopped answering on it.',
    nextStep:
      'Redis is frozen, or packets are lost on the way. On its machine: `redis-cli ping`, `redis-cli LATENCY DOCTOR`, `redis-cli SLOWLOG GET`, and swap and disk waits with `vmstat 1`.',
  },
  slow: {
    code: 'slow',
    reaction: 'none',
    executed: 'maybe',
    retryable: true,
    meaning: 'Redis answers, but later than the callers can wait.',
    nextStep:
      'Look for what blocks it: `redis-cli SLOWLOG GET`, `redis-cli LATENCY DOCTOR`, `redis-cli --bigkeys`; and at CPU and network of its machine.',
  },
  flapping: {
    code: 'flapping',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'Redis answers again after repeated outages and is let in step by step.',
    nextStep: 'Nothing to do now; the reason of the last outage tells what to mend.',
  },
  failover: {
    code: 'failover',
    reaction: 'reconnect',
    executed: 'maybe',
    retryable: true,
    meaning: 'The sentinels have appointed another master.',
    nextStep:
      'Nothing to do; why they did is in their logs: `redis-cli -p 26379 SENTINEL MASTERS` shows where things stand.',
  },
  hearing: {
    code: 'hearing',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'Redis tells this process of every change that others make to the keys it tracks.',
    nextStep: 'Nothing to do.',
  },
  notHearingYet: {
    code: 'not-hearing-yet',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'The connections over which Redis tells of changes are being made.',
    nextStep: 'Nothing to do; until then changes made by others may go unheard.',
  },
  trackingRefused: {
    code: 'tracking-refused',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'Redis does not tell this process of changes that others make; reads and writes work.',
    nextStep:
      'It takes Redis 6.2 or later without a proxy that shares connections, and a user with `+client|tracking +client|trackinginfo +client|id +info +subscribe &__redis__:invalidate`; see `redis-cli ACL LOG` for what was refused.',
  },
  isolated: {
    code: 'isolated',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'An operator has taken Redis out of use.',
    nextStep: 'When the work on it is done, `link.rejoin()` puts it back into use.',
  },
  memoryMode: {
    code: 'memory-mode',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'This process was told to work without Redis.',
    nextStep: 'Set REDIS_URL, and unset USE_MEMORY_MODE, to use Redis.',
  },
  closed: {
    code: 'closed',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'The link was closed by the application.',
    nextStep: 'Nothing to do; calls after close() are a mistake of the application.',
  },
  // Faults of other groups that the link finds by looking, without an error that says so.
  readOnlyReplica: SERVER_STATE.readOnlyReplica,
  wrongDatabase: AUTHENTICATION.wrongDatabase,
  closedAtStart: NETWORK.closedAtStart,
  plainToTlsPort: TLS.tlsPort,
  tlsToPlainPort: TLS.plainPort,
} as const satisfies FaultEntries
