/** Is the append-only file written? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { told } from '../words.ts'

export const appendOnlyFile: PlainCheck<'info'> = {
  id: 'persistence.append-only-file',
  layer: 'persistence',
  title: 'writes to the append-only file',
  why: 'When it cannot be written Redis refuses every write with MISCONF; when it cannot be rewritten it grows until the disk is full.',
  severity: 'fail',
  needs: ['info'],
  explains: ['aof-failing'],
  judge: ({ info }) => {
    if (info.get('aof_enabled') !== '1') return nothingToJudge('There is no append-only file.')
    const evidence = told(
      info,
      'aof_last_write_status',
      'aof_last_bgrewrite_status',
      'aof_rewrites_consecutive_failures',
    )
    const written = info.get('aof_last_write_status') !== 'err'
    const rewritten = info.get('aof_last_bgrewrite_status') !== 'err'
    if (written && rewritten) return ok('It is written and rewritten.', evidence)
    return [
      {
        state: 'fail',
        summary: written ? 'The append-only file could not be rewritten.' : 'The append-only file cannot be written.',
        evidence,
        fix: {
          text: 'See disk and directory. Once there is room again the writes come back by themselves; a rewrite makes the file small.',
          commands: ['redis-cli CONFIG GET dir', 'df -h <dir>', 'redis-cli BGREWRITEAOF'],
        },
      },
    ]
  },
}
