/** What is the memory used for? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText } from '../words.ts'

const SMALL_BYTES = 5 * 1024 ** 2
/** Of all memory: more than this is not what one pays for. */
const OVERHEAD_SHARE = 0.5
const PARTS = [
  'clients.normal',
  'clients.slaves',
  'replication.backlog',
  'aof.buffer',
  'cluster.links',
  'lua.caches',
  'functions.caches',
]

export const parts: PlainCheck<'memoryStats'> = {
  id: 'memory.parts',
  layer: 'memory',
  title: 'data against everything else',
  why: 'When buffers, backlog and the tables of very small keys take more than the data, a higher limit is not the mend.',
  severity: 'info',
  needs: ['memoryStats'],
  judge: ({ memoryStats }) => {
    const total = numberIn(memoryStats, 'total.allocated')
    if (!(total > SMALL_BYTES)) return nothingToJudge('There is hardly anything in it.')
    const share = numberIn(memoryStats, 'overhead.total') / total
    const shown = PARTS.filter((name) => numberIn(memoryStats, name) > 0)
    const evidence = [
      `data ${bytesText(numberIn(memoryStats, 'dataset.bytes'))}, everything else ${bytesText(numberIn(memoryStats, 'overhead.total'))}`,
      `${memoryStats.get('keys.count')} keys of ${memoryStats.get('keys.bytes-per-key')} B each`,
      ...shown.map((name) => `${name} ${bytesText(numberIn(memoryStats, name))}`),
    ]
    if (!(share > OVERHEAD_SHARE)) return ok('Most of it is data.', evidence)
    return [
      {
        state: 'info',
        summary: `${Math.round(share * 100)} % of the memory is not data.`,
        evidence,
        fix: {
          text: 'See which part is large. Many tiny keys are cheaper as fields of hashes; a large backlog or client buffers have settings of their own.',
        },
      },
    ]
  },
}
