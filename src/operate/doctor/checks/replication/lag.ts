/** How far are the replicas behind? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText } from '../words.ts'

const SECONDS = 10

export const lag: PlainCheck<'info'> = {
  id: 'replication.lag',
  layer: 'replication',
  title: 'replicas behind their master',
  why: 'What a replica has not got yet is lost when it takes over.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const replicas = [...info]
      .filter(([name]) => /^slave\d+$/.test(name))
      .map(([, text]) => new Map(text.split(',').map((pair) => pair.split('=', 2) as [string, string])))
    if (replicas.length === 0) return nothingToJudge('This server has no replicas.')
    const offset = numberIn(info, 'master_repl_offset')
    const behind = replicas.filter((replica) => replica.get('state') !== 'online' || numberIn(replica, 'lag') > SECONDS)
    const evidence = replicas.map(
      (replica) =>
        `${replica.get('ip')}:${replica.get('port')}: ${replica.get('state')}, last word ${replica.get('lag')} s ago, ${bytesText(Math.max(0, offset - numberIn(replica, 'offset')))} behind`,
    )
    if (behind.length === 0) return ok('They keep up.', evidence)
    return [
      {
        state: 'warn',
        summary: `${behind.length} of ${replicas.length} replicas do not keep up.`,
        evidence,
        fix: {
          text: 'See processor, disk and network of the replica, and whether it reloads everything again and again (sync_full rises): then the backlog is too small.',
          commands: ['redis-cli INFO replication', 'redis-cli INFO stats'],
        },
      },
    ]
  },
}
