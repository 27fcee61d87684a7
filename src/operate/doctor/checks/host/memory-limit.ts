/** Is maxmemory below what the container or the unit grants? */
import { numberIn } from '../../evidence/fields.ts'
import { bytesText } from '../words.ts'
import { ok, type PlainCheck } from '../../check.ts'

const SHARE = 0.75

export const memoryLimit: PlainCheck<'redisHere' | 'redisProcess' | 'config'> = {
  id: 'host.memory-limit',
  layer: 'host',
  title: 'maxmemory against the limit of the container or unit',
  why: 'Redis knows nothing of the limit of its cgroup: it grows until the kernel kills it, and all that was not saved is gone.',
  severity: 'fail',
  needs: ['redisHere', 'redisProcess', 'config'],
  judge: ({ redisProcess: { memoryLimitBytes: limit }, config }) => {
    if (!Number.isFinite(limit)) return ok('No limit is set for its container or unit.')
    const maxmemory = numberIn(config, 'maxmemory')
    const evidence = [
      `memory limit ${bytesText(limit)}`,
      `maxmemory ${maxmemory === 0 ? '0, no limit' : bytesText(maxmemory)}`,
    ]
    if (maxmemory > 0 && maxmemory <= SHARE * limit) return ok('There is room for buffers and for the fork.', evidence)
    const unlimited = maxmemory === 0 || maxmemory >= limit
    return [
      {
        state: unlimited ? 'fail' : 'warn',
        summary: unlimited
          ? 'The kernel kills Redis before Redis knows that memory is used up.'
          : 'maxmemory leaves too little of the limit for buffers and for the fork of a snapshot.',
        evidence,
        fix: {
          text: 'Set maxmemory to three quarters of the limit at most, or raise the limit.',
          commands: [`redis-cli CONFIG SET maxmemory ${Math.floor(SHARE * limit)}`, 'redis-cli CONFIG REWRITE'],
        },
        undo: { text: 'Set it back.', commands: [`redis-cli CONFIG SET maxmemory ${maxmemory}`] },
      },
    ]
  },
}
