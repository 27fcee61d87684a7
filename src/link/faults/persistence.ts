/** Faults in which Redis goes on reading and refuses to write: disk, memory, replicas. */
import type { FaultEntries } from './fault.ts'

export const PERSISTENCE = {
  aofFailing: {
    code: 'aof-failing',
    example: 'MISCONF Errors writing to the AOF file: No space left on device',
    reaction: 'write-blocked',
    executed: 'no',
    retryable: true,
    meaning: 'Redis cannot write its append-only file, so it refuses writes; reads work.',
    nextStep:
      'Free space or mend the disk of `redis-cli CONFIG GET dir` (`df -h DIR`). Writes come back by themselves.',
    replies: [/^MISCONF .*\bAOF\b/],
  },
  snapshotFailing: {
    code: 'snapshot-failing',
    example: "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    reaction: 'write-blocked',
    executed: 'no',
    retryable: true,
    meaning: 'Redis cannot save its snapshot to disk, so it refuses writes; reads work.',
    nextStep:
      'Read the reason in the Redis log, check space and owner of `redis-cli CONFIG GET dir` (`df -h DIR`, `ls -ld DIR`) and memory for the fork (`vm.overcommit_memory=1`); then `redis-cli BGSAVE`.',
    replies: [/^MISCONF\b/],
  },
  outOfMemory: {
    code: 'out-of-memory',
    example: "OOM command not allowed when used memory > 'maxmemory'.",
    reaction: 'write-blocked',
    executed: 'no',
    retryable: true,
    meaning: 'Redis is full: it refuses what needs memory; reads and deletes work.',
    nextStep:
      'See `redis-cli INFO memory` and `redis-cli --bigkeys`. Raise `maxmemory`, let a cache evict (`CONFIG SET maxmemory-policy allkeys-lfu`), or give keys a time to live.',
    replies: [/^OOM\b/],
  },
  tooFewReplicas: {
    code: 'too-few-replicas',
    example: 'NOREPLICAS Not enough good replicas to write.',
    reaction: 'write-blocked',
    executed: 'no',
    retryable: true,
    meaning: 'Redis has fewer replicas in step than it is told to have for a write; reads work.',
    nextStep: 'See `redis-cli INFO replication`: bring the replicas up, or lower `min-replicas-to-write`.',
    replies: [/^NOREPLICAS\b/],
  },
} as const satisfies FaultEntries
