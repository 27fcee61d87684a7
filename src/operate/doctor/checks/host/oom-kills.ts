/** Has the kernel killed Redis for memory? */
import { describeError } from '../../../../link/index.ts'
import { ok, type DoctorCheck } from '../../check.ts'

export const oomKills: DoctorCheck<'redisHere' | 'kernelKills', 'redisProcess'> = {
  id: 'host.oom-kills',
  layer: 'host',
  title: 'kills of the kernel for want of memory',
  why: 'Redis that vanished without a word in its log was most likely killed by the kernel; what was not saved is gone, and it will happen again.',
  severity: 'fail',
  needs: ['redisHere', 'kernelKills'],
  wants: ['redisProcess'],
  explains: ['reset', 'broken-pipe', 'connection-closed'],
  judge: ({ kernelKills, redisProcess }) => {
    const inGroup = redisProcess?.oomKills ?? 0
    const evidence = [
      ...kernelKills.map((line) => describeError(line)),
      ...(inGroup > 0 ? [`${inGroup} kills in the cgroup of Redis (memory.events)`] : []),
    ]
    if (evidence.length === 0) return ok('The kernel log knows of no Redis that was killed.')
    return [
      {
        state: 'fail',
        summary: 'The kernel has killed Redis because memory ran out.',
        evidence,
        fix: {
          text: 'Set maxmemory to at most three quarters of what the machine or container grants, or grant more.',
          commands: ['redis-cli CONFIG SET maxmemory <bytes>', 'redis-cli CONFIG REWRITE'],
        },
      },
    ]
  },
}
