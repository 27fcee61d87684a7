/** Would a restart lose what nobody can make again? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import type { Purpose } from '../../evidence/server-values.ts'
import { setting, told } from '../words.ts'

const KEPT: readonly Purpose[] = ['queue', 'sessions', 'results', 'checkpoints']

export const noneForQueue: PlainCheck<'config' | 'purposes'> = {
  id: 'persistence.none-for-queue',
  layer: 'persistence',
  title: 'persistence against what the data is for',
  why: 'Without snapshot and append-only file a restart comes back empty: queued tasks are gone, everybody is logged out. Snapshots alone lose what came after the last one.',
  severity: 'fail',
  needs: ['config', 'purposes'],
  judge: ({ config, purposes: { uses, source } }) => {
    const kept = [...new Set(uses.map(({ purpose }) => purpose).filter((purpose) => KEPT.includes(purpose)))]
    if (kept.length === 0)
      return nothingToJudge('Nothing is known to be kept here: say it with --role, such as --role queue=db1.')
    const evidence = [...told(config, 'appendonly', 'appendfsync', 'save'), `${kept.join(', ')} (${source})`]
    if (config.get('appendonly') === 'yes') return ok('Every write gets to the disk.', evidence)
    const snapshots = (config.get('save') ?? '') !== ''
    return [
      {
        state: snapshots ? 'warn' : 'fail',
        summary: snapshots
          ? `A crash loses the ${kept.join(', ')} since the last snapshot.`
          : `A restart loses all ${kept.join(', ')}.`,
        evidence,
        fix: {
          text: 'Switch the append-only file on in the running server, which writes all data to it at once. Never do it by the file alone and a restart: that starts empty.',
          commands: setting('appendonly', 'yes'),
        },
        undo: { text: 'Switch it off.', commands: setting('appendonly', 'no') },
      },
    ]
  },
}
