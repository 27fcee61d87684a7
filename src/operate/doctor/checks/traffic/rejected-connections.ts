/** Were clients turned away because there were too many? */
import { ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { told } from '../words.ts'

export const rejectedConnections: PlainCheck<'trend'> = {
  id: 'traffic.rejected-connections',
  layer: 'traffic',
  title: 'connections turned away',
  why: 'At maxclients every new connection is closed, while those that are open work on: a part of the application is down and the rest looks well.',
  severity: 'fail',
  needs: ['trend'],
  explains: ['max-clients'],
  judge: ({ trend: { before, after } }) => {
    const total = numberIn(after, 'rejected_connections')
    if (!(total > 0)) return ok('None since the start.', told(after, 'rejected_connections'))
    const rising = total > numberIn(before, 'rejected_connections')
    return [
      {
        state: rising ? 'fail' : 'warn',
        summary: rising ? 'Clients are being turned away.' : 'Clients have been turned away since the start.',
        evidence: told(after, 'rejected_connections', 'connected_clients', 'maxclients'),
        fix: {
          text: 'Find who holds the connections (a pool without a bound, clients that are never closed), then raise the limit; it needs as many file descriptors.',
          commands: ['redis-cli CLIENT LIST', 'redis-cli CONFIG SET maxclients <number>'],
        },
      },
    ]
  },
}
