/** Did the last snapshot succeed? */
import { ok, type DoctorCheck } from '../../check.ts'
import { told } from '../words.ts'

export const snapshot: DoctorCheck<'info', 'config'> = {
  id: 'persistence.snapshot',
  layer: 'persistence',
  title: 'outcome of the last snapshot',
  why: 'After a failed snapshot Redis refuses every write with MISCONF, and PING too, until one succeeds.',
  severity: 'fail',
  needs: ['info'],
  wants: ['config'],
  explains: ['snapshot-failing'],
  judge: ({ info, config }) => {
    const evidence = [
      ...told(info, 'rdb_last_bgsave_status', 'rdb_changes_since_last_save'),
      ...(config === undefined ? [] : told(config, 'dir', 'dbfilename', 'stop-writes-on-bgsave-error')),
    ]
    if (info.get('rdb_last_bgsave_status') !== 'err') return ok('It succeeded, or there was none.', evidence)
    // The server asks the kernel where it is, and that is nowhere.
    const gone = config?.get('dir') === ''
    const place = gone ? '<dir of redis.conf>' : (config?.get('dir') ?? '<dir of the server>')
    return [
      {
        state: 'fail',
        summary: gone ? 'The last snapshot failed: the data directory is gone.' : 'The last snapshot failed.',
        evidence,
        fix: {
          text: 'The log of the server says why: a directory that is gone or not writable, a full disk, a fork that the kernel refused. Mend that, then take one: the writes come back with it.',
          commands: [`ls -ld ${place}`, `df -h ${place}`, 'redis-cli BGSAVE', 'redis-cli INFO persistence'],
        },
      },
    ]
  },
}
