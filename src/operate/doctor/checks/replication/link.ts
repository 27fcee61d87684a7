/** Does every replica reach its master? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { NodeFacts } from '../../evidence/server-values.ts'
import { durationText } from '../words.ts'

const LONG_S = 10

export const link: PlainCheck<'nodes'> = {
  id: 'replication.link',
  layer: 'replication',
  title: 'connection of the replicas to their master',
  why: 'A replica that has lost its master serves old data, or answers MASTERDOWN, and is of no use when the master fails.',
  severity: 'fail',
  needs: ['nodes'],
  explains: ['master-down', 'read-only-replica'],
  judge: ({ nodes }) => {
    const replicas = nodes.filter(({ info }) => info.get('role') === 'slave')
    if (replicas.length === 0) return nothingToJudge('There are no replicas.')
    const lost = replicas.filter(({ info }) => info.get('master_link_status') === 'down')
    const evidence = replicas.map(linkText)
    if (lost.length === 0) return ok('All are connected.', evidence)
    const long = lost.some(isLong)
    return [
      {
        state: long ? 'fail' : 'warn',
        summary: `Without its master: ${lost.map(({ place }) => place).join(', ')}.`,
        evidence,
        fix: {
          text: 'Bring the master back, or promote a replica. Is the master well? Then look at masterauth on the replica and at the way between them; the log of the replica says which.',
          commands: ['redis-cli INFO replication', 'redis-cli REPLICAOF NO ONE   # promotes this replica'],
        },
        undo: {
          text: 'Make it a replica again; it then takes the data of that master.',
          commands: ['redis-cli REPLICAOF <master> <port>'],
        },
      },
    ]
  },
}

/** Down for a while, or never up and not about to be. */
function isLong({ info }: NodeFacts): boolean {
  const seconds = numberIn(info, 'master_link_down_since_seconds')
  return seconds > LONG_S || (!(seconds >= 0) && info.get('master_sync_in_progress') !== '1')
}

function linkText({ place, info }: NodeFacts): string {
  const down = numberIn(info, 'master_link_down_since_seconds')
  const since = down >= 0 ? ` for ${durationText(down)}` : ''
  return `${place}: master ${info.get('master_host')}:${info.get('master_port')}, link ${info.get('master_link_status')}${since}`
}
