/** Is there memory enough for the fork that saves the data? */
import { bytesText } from '../words.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

/** Pages that are written while the child saves are copied. Half of all is a busy server; a tenth is one that is hardly written to. */
const BUSY_SHARE = 0.5
const QUIET_SHARE = 0.1

export const forkMemory: PlainCheck<'redisHere' | 'redisProcess' | 'machineMemory'> = {
  id: 'host.fork-memory',
  layer: 'host',
  title: 'memory for the fork of a snapshot',
  why: 'Snapshots, rewrites of the append-only file and new replicas fork the server. Without room for the pages that are written meanwhile the kernel kills something, most likely Redis.',
  severity: 'fail',
  needs: ['redisHere', 'redisProcess', 'machineMemory'],
  explains: ['snapshot-failing'],
  judge: ({ redisProcess: { rssBytes, memoryLimitBytes }, machineMemory: { availableBytes, totalBytes } }) => {
    const limited = memoryLimitBytes < totalBytes
    const free = limited ? Math.min(availableBytes, memoryLimitBytes - rssBytes) : availableBytes
    if (Number.isNaN(free) || Number.isNaN(rssBytes))
      return nothingToJudge('The kernel does not say how much memory is free.')
    const evidence = [
      `Redis has ${bytesText(rssBytes)}, free for it ${bytesText(Math.max(0, free))}`,
      ...(limited ? [`the limit of its container or unit is ${bytesText(memoryLimitBytes)}`] : []),
    ]
    if (free >= rssBytes * BUSY_SHARE) return ok('There is room for the pages that change while it saves.', evidence)
    const fail = free < rssBytes * QUIET_SHARE
    return [
      {
        state: fail ? 'fail' : 'warn',
        summary: fail
          ? 'There is no memory for the fork of a snapshot.'
          : 'A snapshot under load may run out of memory.',
        evidence,
        fix: {
          text: `Leave half of what Redis has free: at most ${bytesText(Math.floor((free + rssBytes) / 1.5))} for maxmemory here.`,
          commands: ['redis-cli CONFIG SET maxmemory <bytes>', 'redis-cli CONFIG REWRITE'],
        },
      },
    ]
  },
}
