/** Would anybody notice that snapshots fail? */
import { ok, type PlainCheck } from '../../check.ts'
import { setting, told } from '../words.ts'

export const writesDespiteFailure: PlainCheck<'config'> = {
  id: 'persistence.writes-despite-failure',
  layer: 'persistence',
  title: 'stop-writes-on-bgsave-error',
  why: 'Switched off to get rid of MISCONF it hides that nothing is saved any more, until the restart that brings old data back.',
  severity: 'warn',
  needs: ['config'],
  judge: ({ config }) => {
    const evidence = told(config, 'stop-writes-on-bgsave-error', 'save')
    if (config.get('save') === '') return ok('There are no snapshots that could fail.', evidence)
    if (config.get('stop-writes-on-bgsave-error') !== 'no') return ok('A snapshot that fails is noticed.', evidence)
    return [
      {
        state: 'warn',
        summary: 'Snapshots may fail for days and nobody is told.',
        evidence,
        fix: {
          text: 'Switch it on again, or watch rdb_last_bgsave_status.',
          commands: setting('stop-writes-on-bgsave-error', 'yes'),
        },
        undo: { text: 'Switch it off.', commands: setting('stop-writes-on-bgsave-error', 'no') },
      },
    ]
  },
}
