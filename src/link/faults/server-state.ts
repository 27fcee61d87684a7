/** Faults of a server that is reachable and says itself that it cannot serve now. */
import type { FaultEntries } from './fault.ts'

export const SERVER_STATE = {
  loading: {
    code: 'loading',
    example: 'LOADING Redis is loading the dataset in memory',
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
    example: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
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
    example: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
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
    example: 'UNKILLABLE Sorry the script already executed write commands against the dataset.',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'A script that has already written cannot be ended, and Redis serves nobody else until it is done.',
    nextStep: 'Wait for it, or give up the unsaved data with `redis-cli SHUTDOWN NOSAVE` and start Redis again.',
    replies: [/^UNKILLABLE\b/],
  },
  maxClients: {
    code: 'max-clients',
    example: 'ERR max number of clients reached',
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
    example: "READONLY You can't write against a read only replica.",
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
    example: 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    reaction: 'reconnect',
    executed: 'no',
    retryable: true,
    meaning: 'The server changed its role while a command was waiting on it.',
    nextStep: 'Nothing to do if a failover was meant; else `redis-cli INFO replication` tells who is master now.',
    replies: [/^UNBLOCKED force unblock\b/],
  },
  sentinelUnknownMaster: {
    code: 'sentinel-unknown-master',
    example: 'ERR No such master with that name',
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
    example: 'IDONTKNOW No such master with that name',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'The Sentinel does not know enough about the master now.',
    nextStep: 'Ask the other Sentinels and compare: `redis-cli -p 26379 SENTINEL CKQUORUM NAME`.',
    replies: [/^IDONTKNOW\b/, /^NOQUORUM\b/],
  },
  sentinelNoReplica: {
    code: 'sentinel-no-good-replica',
    example: 'NOGOODSLAVE No suitable replica to promote',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'The Sentinel finds no replica that could take over.',
    nextStep: 'Look at the replicas: `redis-cli -p 26379 SENTINEL REPLICAS NAME`; bring one of them up and in step.',
    replies: [/^NOGOODSLAVE\b/, /^INPROG\b/],
  },
} as const satisfies FaultEntries
