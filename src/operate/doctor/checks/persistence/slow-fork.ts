/** How long does the server stand still for a snapshot? */
import { ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { told } from '../words.ts'

const SLOW_US = 500_000

export const slowFork: PlainCheck<'info'> = {
  id: 'persistence.slow-fork',
  layer: 'persistence',
  title: 'time of the last fork',
  why: 'For a snapshot, a rewrite and a new replica the process is doubled, and until that is done no client is answered.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const evidence = [
      `latest_fork_usec ${info.get('latest_fork_usec') ?? 'not told'}`,
      ...told(info, 'used_memory_rss_human'),
    ]
    if (!(numberIn(info, 'latest_fork_usec') > SLOW_US)) return ok('Short.', evidence)
    return [
      {
        state: 'warn',
        summary: `The last fork held up every client for ${Math.round(numberIn(info, 'latest_fork_usec') / 1000)} ms.`,
        evidence,
        fix: {
          text: 'Switch off transparent huge pages, take snapshots on a replica, or divide the data among several instances.',
          commands: ['cat /sys/kernel/mm/transparent_hugepage/enabled', 'redis-cli LATENCY HISTORY fork'],
        },
      },
    ]
  },
}
