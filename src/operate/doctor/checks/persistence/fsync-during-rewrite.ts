/** Does the append-only file keep its promise while it is rewritten? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { setting, told } from '../words.ts'

export const fsyncDuringRewrite: PlainCheck<'config'> = {
  id: 'persistence.fsync-during-rewrite',
  layer: 'persistence',
  title: 'no-appendfsync-on-rewrite',
  why: 'Set to yes nothing is forced to the disk during a rewrite or a snapshot: a crash then loses up to half a minute instead of a second. It does not keep the rewrite away.',
  severity: 'warn',
  needs: ['config'],
  judge: ({ config }) => {
    if (config.get('appendonly') !== 'yes') return nothingToJudge('There is no append-only file.')
    const evidence = told(config, 'no-appendfsync-on-rewrite', 'appendfsync')
    if (config.get('appendfsync') === 'no')
      return [
        {
          state: 'warn',
          summary: 'Nothing is ever forced to the disk: the kernel takes up to half a minute.',
          evidence,
          fix: { text: 'Once a second costs hardly anything.', commands: setting('appendfsync', 'everysec') },
          undo: { text: 'Take it back.', commands: setting('appendfsync', 'no') },
        },
      ]
    if (config.get('no-appendfsync-on-rewrite') !== 'yes') return ok('Forced to the disk at all times.', evidence)
    return [
      {
        state: 'warn',
        summary: 'During a rewrite nothing is forced to the disk.',
        evidence,
        fix: {
          text: 'Switch it off, unless writes were seen to wait for the disk during rewrites.',
          commands: setting('no-appendfsync-on-rewrite', 'no'),
        },
        undo: { text: 'Take it back.', commands: setting('no-appendfsync-on-rewrite', 'yes') },
      },
    ]
  },
}
