/** How much would a crash lose? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { durationText, told } from '../words.ts'

const OLD_S = 86_400

export const unsavedChanges: PlainCheck<'info' | 'config' | 'now'> = {
  id: 'persistence.unsaved-changes',
  layer: 'persistence',
  title: 'changes since the last snapshot',
  why: 'Where snapshots are all there is, a crash loses what came after the last one.',
  severity: 'warn',
  needs: ['info', 'config', 'now'],
  judge: ({ info, config, now }) => {
    if (info.get('aof_enabled') === '1') return nothingToJudge('The append-only file has them.')
    if (config.get('save') === '') return nothingToJudge('There are no snapshots by design.')
    const changes = numberIn(info, 'rdb_changes_since_last_save')
    const ageS = Math.max(0, now / 1000 - numberIn(info, 'rdb_last_save_time'))
    const evidence = [
      ...told(info, 'rdb_changes_since_last_save'),
      `last snapshot ${durationText(ageS)} ago`,
      ...told(config, 'save'),
    ]
    if (!(changes > 0) || ageS < dueAfterS(config.get('save') ?? '', changes))
      return ok('As the save points have it.', evidence)
    return [
      {
        state: 'warn',
        summary: `${changes} changes are in no snapshot, and one is overdue.`,
        evidence,
        fix: {
          text: 'See why none was taken: the log of the server, then take one.',
          commands: ['redis-cli BGSAVE', 'redis-cli INFO persistence'],
        },
      },
    ]
  },
}

/** `3600 1 300 100`: after 3600 s with one change, after 300 s with a hundred; twice that is overdue. */
function dueAfterS(save: string, changes: number): number {
  const numbers = save.split(/\s+/).map(Number)
  const points = numbers.flatMap((seconds, index) =>
    index % 2 === 0 && (numbers[index + 1] ?? Infinity) <= changes ? [seconds] : [],
  )
  return points.length === 0 ? OLD_S : 2 * Math.min(...points)
}
