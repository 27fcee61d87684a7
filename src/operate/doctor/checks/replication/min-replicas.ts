/** Does a master that is cut off stop taking writes that will be lost? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { setting, told } from '../words.ts'

export const minReplicas: DoctorCheck<'info' | 'config', 'sentinels'> = {
  id: 'replication.min-replicas',
  layer: 'replication',
  title: 'min-replicas-to-write',
  why: 'A master that is cut off from its replicas goes on taking writes, and all of them are lost when it returns as a replica. With one replica demanded it refuses them instead.',
  severity: 'fail',
  needs: ['info', 'config'],
  wants: ['sentinels'],
  explains: ['too-few-replicas'],
  judge: ({ info, config, sentinels }) => {
    const demanded = numberIn(config, 'min-replicas-to-write')
    const good = numberIn(info, 'min_slaves_good_slaves')
    const evidence = [
      ...told(config, 'min-replicas-to-write', 'min-replicas-max-lag'),
      ...told(info, 'connected_slaves', 'min_slaves_good_slaves'),
    ]
    if (info.get('role') === 'master' && demanded > 0 && good < demanded)
      return [
        {
          state: 'fail',
          summary: `Every write is refused (NOREPLICAS): ${good} replicas are well, ${demanded} are demanded.`,
          evidence,
          fix: {
            text: 'Bring a replica back. To write without one meanwhile, demand none; that gives up what the demand protects from.',
            commands: ['redis-cli INFO replication', 'redis-cli CONFIG SET min-replicas-to-write 0'],
          },
          undo: { text: 'Demand it again.', commands: setting('min-replicas-to-write', String(demanded)) },
        },
      ]
    if (!(numberIn(info, 'connected_slaves') > 0)) return nothingToJudge('This server has no replicas.')
    if (demanded > 0) return ok('A master that is cut off refuses writes.', evidence)
    return [
      {
        state: sentinels === undefined ? 'info' : 'warn',
        summary: 'A master that is cut off goes on taking writes that will be lost.',
        evidence,
        fix: {
          text: 'Demand one replica with a short lag, on every server.',
          commands: [...setting('min-replicas-to-write', '1'), ...setting('min-replicas-max-lag', '10')],
        },
        undo: { text: 'Demand none.', commands: setting('min-replicas-to-write', '0') },
      },
    ]
  },
}
