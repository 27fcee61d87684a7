/** Is the cache of use? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { told } from '../words.ts'

const GOOD = 0.8
const FEW = 1000

export const hitRate: DoctorCheck<'info', 'purposes'> = {
  id: 'traffic.hit-rate',
  layer: 'traffic',
  title: 'hit rate of a cache',
  why: 'A cache that mostly misses costs a round trip on top of the work that it was to save.',
  severity: 'warn',
  needs: ['info'],
  wants: ['purposes'],
  judge: ({ info, purposes }) => {
    const [hits, misses] = [numberIn(info, 'keyspace_hits'), numberIn(info, 'keyspace_misses')]
    const isCache = purposes?.uses.some(({ purpose }) => purpose === 'cache') ?? false
    if (!isCache) return nothingToJudge('No cache is known here: say it with --role, such as --role cache=db0.')
    if (!(hits + misses >= FEW)) return nothingToJudge(`Fewer than ${FEW} reads since the start.`)
    const rate = hits / (hits + misses)
    const evidence = [
      `${Math.round(rate * 100)} % of ${hits + misses} reads hit`,
      ...told(info, 'evicted_keys', 'expired_keys'),
    ]
    if (rate >= GOOD) return ok('It is of use.', evidence)
    return [
      {
        state: 'warn',
        summary: `Only ${Math.round(rate * 100)} % of the reads find something.`,
        evidence,
        fix: {
          text: 'Longer times to live, more memory when keys are evicted, fewer different keys (look at what goes into their names), and a word for "there is nothing" in the cache.',
        },
      },
    ]
  },
}
