/** Faults of a server that is reachable and says itself that it cannot serve now. */
import type { FaultEntries } from './fault.ts'

export const SERVER_STATE = {
  loading: {
    code: 'loading',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'Redis has started and is still reading its data from disk.',
    nextStep:
      'Wait; `redis-cli INFO persistence` shows `loading_eta_seconds`. A smaller dataset or a faster disk shortens it.',
    replies: [/^LOADING\b/],
  },
  masterDown: {
    code: 'master-down',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'This is a replica that lost its master and is set to answer nothing meanwhile.',
    nextStep:
      'Look at `redis-cli INFO replication` (`master_host`, `master_link_status`) and mend the master or the link to it. If the master is gone for good: `REPLICAOF NO ONE` on the best replica.',
    replies: [/^MASTERDOWN\b/],
  },
  busyScript: {
    code: 'busy-script',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'A script or module runs for so long that Redis serves nobody else.',
    nextStep:
      'End it with `redis-cli SCRIPT KILL` (for a function: `FUNCTION KILL`), then find it with `redis-cli SLOWLOG GET` and bound its work.',
    // Not the bare word: scripts of applications like to answer BUSY themselves.
    replies: [/^BUSY .*\b(is busy running|SCRIPT KILL|FUNCTION KILL|SHUTDOWN NOSAVE)\b/],
  },
  unkillableScript: {
    code: 'unkillable-script',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'A script that has already written cannot be ended, and Redis serves nobody else until it is done.',
    nextStep: 'Wait for it, or give up the unsaved data with `redis-cli SHUTDOWN NOSAVE` and start Redis again.',
    replies: [/^UNKILLABLE\b/],
  },
  maxClients: {
    code: 'max-clients',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'Redis has as many connections as it admits.',
    nextStep:
      'See who holds them: `redis-cli CLIENT LIST` (on an open connection) and `INFO clients`. Mend the leak, or raise `maxclients` and the file limit of the server.',
    replies: [/^ERR max number of clients\b/i, /^ERR max concurrent connections exceeded/i],
  },
  readOnlyReplica: {
    code: 'read-only-replica',
    reaction: 'reconnect',
    executed: 'no',
    retryable: true,
    meaning: 'This server is a replica and takes no writes: there was a failover, or the address is that of a replica.',
    nextStep:
      'Point the address at the master, or at the Sentinels or the primary endpoint, which follow a failover: `redis-cli INFO replication` names the master. Only when it is gone for good: `REPLICAOF NO ONE` here.',
    replies: [/^READONLY\b/, /^REDIRECT\b/],
  },
  unblocked: {
    code: 'unblocked',
    reaction: 'reconnect',
    executed: 'no',
    retryable: true,
    meaning: 'The server changed its role while a command was waiting on it.',
    nextStep: 'Nothing to do if a failover was meant; else `redis-cli INFO replication` tells who is master now.',
    replies: [/^UNBLOCKED force unblock\b/],
  },
  sentinelUnknownMaster: {
    code: 'sentinel-unknown-master',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'The Sentinel does not watch a master of this name.',
    nextStep:
      'List the names it knows: `redis-cli -p 26379 SENTINEL MASTERS`. The name in the options must be one of them.',
    replies: [/^ERR No such master with that name/i],
  },
  sentinelUndecided: {
    code: 'sentinel-undecided',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'The Sentinel does not know enough about the master now.',
    nextStep: 'Ask the other Sentinels and compare: `redis-cli -p 26379 SENTINEL CKQUORUM <name>`.',
    replies: [/^IDONTKNOW\b/, /^NOQUORUM\b/],
  },
  sentinelNoReplica: {
    code: 'sentinel-no-good-replica',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'The Sentinel finds no replica that could take over.',
    nextStep: 'Look at the replicas: `redis-cli -p 26379 SENTINEL REPLICAS <name>`; bring one of them up and in step.',
    replies: [/^NOGOODSLAVE\b/, /^INPROG\b/],
  },
} as const satisfies FaultEntries
