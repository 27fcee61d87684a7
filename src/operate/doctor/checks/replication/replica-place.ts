/** Are the replicas what they are for: read-only, and somewhere else? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { isLoopback } from '../security/listeners.ts'
import { setting } from '../words.ts'

export const replicaPlace: PlainCheck<'nodes'> = {
  id: 'replication.replica-place',
  layer: 'replication',
  title: 'replicas read-only and on another machine',
  why: 'What is written to a replica is lost with the next synchronisation; a replica on the machine of its master dies with it.',
  severity: 'warn',
  needs: ['nodes'],
  judge: ({ nodes }) => {
    const replicas = nodes.filter(({ info }) => info.get('role') === 'slave')
    if (replicas.length === 0) return nothingToJudge('There are no replicas.')
    const writable = replicas.filter(({ config }) => config.get('replica-read-only') === 'no')
    const near = replicas.filter(({ info }) => isLoopback(info.get('master_host') ?? ''))
    const evidence = replicas.map(
      ({ place, info, config }) =>
        `${place}: replica-read-only ${config.get('replica-read-only') ?? 'not told'}, master ${info.get('master_host')}`,
    )
    if (writable.length > 0)
      return [
        {
          state: 'warn',
          summary: `${writable.map(({ place }) => place).join(', ')} takes writes that will be lost.`,
          evidence,
          fix: { text: 'Let it refuse them.', commands: setting('replica-read-only', 'yes') },
          undo: { text: 'Let it take them.', commands: setting('replica-read-only', 'no') },
        },
      ]
    if (near.length > 0)
      return [
        {
          state: 'info',
          summary: `${near.map(({ place }) => place).join(', ')} is on the machine of its master.`,
          evidence,
          fix: { text: 'Run it on another machine, or in another zone.' },
        },
      ]
    if (replicas.some(({ config }) => !config.has('replica-read-only')))
      return [{ state: 'not-available', summary: 'Not every replica tells its settings.', evidence }]
    return ok('Read-only and elsewhere.', evidence)
  },
}
