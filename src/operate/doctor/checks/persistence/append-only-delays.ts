/** Is the disk fast enough for the append-only file, and is it rewritten in time? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText, told } from '../words.ts'

const GROWN = 3
/** Below this size growth says nothing. */
const SMALL_BYTES = 64 * 1024 ** 2

export const appendOnlyDelays: PlainCheck<'trend'> = {
  id: 'persistence.append-only-delays',
  layer: 'persistence',
  title: 'speed and size of the append-only file',
  why: 'A disk that is too slow holds up every write; a file that is never rewritten makes the next start take minutes.',
  severity: 'warn',
  needs: ['trend'],
  judge: ({ trend: { before, after } }) => {
    if (after.get('aof_enabled') !== '1') return nothingToJudge('There is no append-only file.')
    const [size, base] = [numberIn(after, 'aof_current_size'), numberIn(after, 'aof_base_size')]
    const rising = numberIn(after, 'aof_delayed_fsync') > numberIn(before, 'aof_delayed_fsync')
    const grown = size > SMALL_BYTES && size > GROWN * base
    const evidence = [
      ...told(after, 'aof_delayed_fsync'),
      `aof_current_size ${bytesText(size)}, after its last rewrite ${bytesText(base)}`,
    ]
    if (!rising && !grown) return ok('In time and in size.', evidence)
    return [
      {
        state: 'warn',
        summary: rising
          ? 'Writes wait for the disk.'
          : `The file has grown to ${(size / base).toFixed(1)} times its size.`,
        evidence,
        fix: {
          text: rising
            ? 'See what else uses the disk; move the data to a faster one.'
            : 'Rewrite it now, and see auto-aof-rewrite-percentage.',
          commands: rising
            ? ['iostat -x 1 5', 'redis-cli LATENCY LATEST']
            : ['redis-cli BGREWRITEAOF', 'redis-cli CONFIG GET auto-aof-rewrite-*'],
        },
      },
    ]
  },
}
