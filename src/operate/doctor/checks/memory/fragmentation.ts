/** Does the process take much more memory than its data, or has the kernel moved part of it to disk? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText, setting, told } from '../words.ts'

/** The limits of MEMORY DOCTOR (redis, src/object.c, 7.0). */
const SMALL_BYTES = 5 * 1024 ** 2
const RATIO = 1.4
const WASTED_BYTES = 10 * 1024 ** 2
const SWAPPED_RATIO = 1

export const fragmentation: PlainCheck<'info'> = {
  id: 'memory.fragmentation',
  layer: 'memory',
  title: 'memory of the process against memory of the data',
  why: 'Holes between values take memory that maxmemory does not count; a ratio below 1 means that part of the data is swapped out, and every touch of it waits for a disk.',
  severity: 'fail',
  needs: ['info'],
  judge: ({ info }) => {
    const used = numberIn(info, 'used_memory')
    const rss = numberIn(info, 'used_memory_rss')
    if (!(used > SMALL_BYTES)) return nothingToJudge('With so little data the ratio says nothing.')
    const ratio = numberIn(info, 'mem_fragmentation_ratio')
    const wasted = numberIn(info, 'mem_fragmentation_bytes')
    const evidence = [
      `used_memory ${bytesText(used)}, used_memory_rss ${bytesText(rss)}`,
      ...told(info, 'mem_fragmentation_ratio', 'allocator_frag_ratio', 'mem_allocator'),
    ]
    if (ratio < SWAPPED_RATIO && used - rss > WASTED_BYTES)
      return [
        {
          state: 'fail',
          summary: `${bytesText(used - rss)} of the data are not in memory: swapped out.`,
          evidence,
          fix: {
            text: 'Give the machine more memory or Redis less data; see what else takes it.',
            commands: ['redis-cli CONFIG SET maxmemory <bytes>', 'grep VmSwap /proc/<pid of redis-server>/status'],
          },
        },
      ]
    if (!(ratio > RATIO && wasted > WASTED_BYTES)) return ok('In proportion.', evidence)
    return [
      {
        state: 'warn',
        summary: `${bytesText(wasted)} are lost between the values.`,
        evidence,
        fix: {
          text: 'Let Redis move values together while it serves; else a restart does it.',
          commands: setting('activedefrag', 'yes'),
        },
        undo: { text: 'Stop it.', commands: setting('activedefrag', 'no') },
      },
    ]
  },
}
