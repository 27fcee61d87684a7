/** Can a replica that was away for a minute go on where it was? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText, setting, told } from '../words.ts'

const MINUTE_S = 60
const MIB = 1024 ** 2

export const backlog: PlainCheck<'trend'> = {
  id: 'replication.backlog',
  layer: 'replication',
  title: 'backlog against the rate of writes',
  why: 'A replica that missed more than the backlog holds has to load everything anew, which costs a fork on the master and makes the next break likely.',
  severity: 'warn',
  needs: ['trend'],
  judge: ({ trend: { before, after, seconds } }) => {
    if (!(numberIn(after, 'connected_slaves') > 0)) return nothingToJudge('This server has no replicas.')
    const rate = (numberIn(after, 'master_repl_offset') - numberIn(before, 'master_repl_offset')) / seconds
    const size = numberIn(after, 'repl_backlog_size')
    const minute = rate * MINUTE_S
    const evidence = [
      `repl_backlog_size ${bytesText(size)}, ${bytesText(Math.round(minute))} are written in a minute`,
      ...told(after, 'sync_full', 'sync_partial_ok', 'sync_partial_err'),
    ]
    if (!(minute > size)) return ok('It holds a minute and more.', evidence)
    return [
      {
        state: 'warn',
        summary: `The backlog holds ${Math.round(size / rate)} s of writes.`,
        evidence,
        fix: {
          text: 'Make it hold some minutes.',
          commands: setting('repl-backlog-size', `${Math.ceil((5 * minute) / MIB)}mb`),
        },
        undo: { text: 'Take it back.', commands: setting('repl-backlog-size', String(size)) },
      },
    ]
  },
}
