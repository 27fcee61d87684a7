/** From what went wrong to a finding, by the fault tables of the link and of the database; and what only a check can find. */
import { describeError, faultOfFailure, faultOfTimeout, type ConnectionPhase, type Fault } from '../link/index.ts'
import type { Finding } from './diagnosis.ts'
import { OutOfTime, type Explain } from './probes/examination.ts'

/** The fault with the words that were met. */
export function findingOf({ code, meaning, nextStep }: Fault, error?: unknown): Finding {
  return { code, error: error === undefined ? undefined : describeError(error), meaning, nextStep }
}

/** For names, connections and silence on the way to a Redis. */
export function networkFinding(phase: ConnectionPhase, tls = false): Explain {
  const at = { phase, tls, everUp: false }
  return (error) => findingOf(error instanceof OutOfTime ? faultOfTimeout(at) : faultOfFailure(error, at), error)
}

/** The same for a service of which nothing is known but its address. */
export function serviceFinding(phase: 'resolve' | 'connect'): Explain {
  const network = networkFinding(phase)
  return async (error, inquiryMs) => {
    const finding = await network(error, inquiryMs)
    const words = phase === 'resolve' ? UNRESOLVED : finding.code === 'refused' ? NOT_LISTENING : UNCONNECTED
    return { ...finding, ...words }
  }
}

const UNRESOLVED = {
  meaning: 'The host name could not be resolved.',
  nextStep: 'Check how it is written, and ask the resolver of this very machine or container: `getent hosts <host>`.',
}
const NOT_LISTENING = {
  meaning: 'The machine is there, but nothing listens on this port.',
  nextStep: 'See on that machine whether the service runs, and where it listens: `ss -ltnp`.',
}
const UNCONNECTED = {
  meaning: 'No connection to this address came about.',
  nextStep: 'Check host and port, routes and firewalls in between: `nc -vz <host> <port>`, `ip route get <address>`.',
}

/** What no server says and a check sees. */
export const CHECK_FINDINGS = {
  sentinel: {
    code: 'sentinel-not-redis',
    error: undefined,
    meaning: 'This is a Sentinel, which keeps no data: it knows where the master is.',
    nextStep: 'Write the URL as `redis+sentinel://<host>:26379/<name of the master>`, with every sentinel in it.',
  },
  cutOff: {
    code: 'replica-cut-off',
    error: undefined,
    meaning: 'This is a replica that has lost its master: it takes no writes, and what it answers may be old.',
    nextStep:
      'Bring the master back, or promote this replica: `redis-cli REPLICAOF NO ONE`. See `redis-cli INFO replication`.',
  },
  replica: {
    code: 'replica',
    error: undefined,
    meaning: 'This is a replica: it answers reads and takes no writes.',
    nextStep: 'Nothing, if it is meant to be one. An application that writes needs the address of the master.',
  },
  standby: {
    code: 'standby',
    error: undefined,
    meaning: 'The database answers reads and takes no writes.',
    nextStep:
      'Nothing, if it is a standby by purpose. An application that writes needs the primary, and default_transaction_read_only off.',
  },
  notReadBack: {
    code: 'write-lost',
    error: undefined,
    meaning: 'A value that was written and confirmed could not be read back.',
    nextStep:
      'Something between here and the server answers in its place, or evicts at once: look at proxies and at `maxmemory-policy`.',
  },
  unsharedDatabase: {
    code: 'wrong-database',
    error: undefined,
    meaning: 'The connection is in another database than the one that was selected.',
    nextStep: 'A proxy that shares connections does this: give each application a proxy pool or a server of its own.',
  },
} as const satisfies Readonly<Record<string, Finding>>

/** Thrown by a step that has found one of them. */
export class Found extends Error {
  readonly finding: Finding

  constructor(finding: Finding, error?: string) {
    super(finding.meaning)
    this.finding = error === undefined ? finding : { ...finding, error }
  }
}
