/** Do a cache and a queue share one Redis by database numbers? */
import type { RedisUse } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { usesIn } from './uses.ts'

export const sharedInstance: DoctorCheck<'redisApplication', 'composeServices' | 'envFiles'> = {
  id: 'application.shared-instance',
  layer: 'application',
  title: 'cache and queue on one instance',
  why: 'Database numbers share one memory, one eviction policy and one persistence: what is right for the cache loses jobs, what is right for the queue lets a full cache refuse writes.',
  severity: 'warn',
  needs: ['redisApplication'],
  wants: ['composeServices', 'envFiles'],
  judge: (files) => {
    const uses = usesIn(files)
    if (uses.length === 0) return nothingToJudge('No variable names a Redis.')
    const shared = [...Map.groupBy(uses, ({ host, port }) => `${host}:${port}`)].filter(([, group]) => isMixed(group))
    if (shared.length === 0) return ok('No queue shares its Redis with something else, as far as the variables tell.')
    return shared.map(([place, group]) => ({
      state: 'warn',
      summary: `A queue and something else share the Redis at ${place}.`,
      evidence: [...new Set(group.map(({ name, database }) => `${name}: database ${database}`))],
      fix: {
        text: 'Run two instances, one with noeviction and appendonly for the queue, one for the cache: `evenkeel setup compose`.',
      },
    }))
  },
}

function isMixed(uses: readonly RedisUse[]): boolean {
  return uses.some(({ queue }) => queue) && uses.some(({ queue }) => !queue)
}
