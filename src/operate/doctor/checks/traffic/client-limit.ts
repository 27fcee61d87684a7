/** How near is the server to its limit of clients? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { Fields } from '../../evidence/server-values.ts'
import { some, told } from '../words.ts'

const WARN_SHARE = 0.8
const FAIL_SHARE = 0.9

export const clientLimit: DoctorCheck<'info', 'clients'> = {
  id: 'traffic.client-limit',
  layer: 'traffic',
  title: 'clients against maxclients',
  why: 'The client after the last one is turned away, and it may well be the one that matters.',
  severity: 'fail',
  needs: ['info'],
  wants: ['clients'],
  explains: ['max-clients'],
  judge: ({ info, clients = [] }) => {
    const share = numberIn(info, 'connected_clients') / numberIn(info, 'maxclients')
    const evidence = [...told(info, 'connected_clients', 'maxclients'), ...some(busiest(clients))]
    if (!(share >= WARN_SHARE)) return ok('There is room.', evidence)
    return [
      {
        state: share >= FAIL_SHARE ? 'fail' : 'warn',
        summary: `${Math.round(share * 100)} % of the connections are taken.`,
        evidence,
        fix: {
          text: 'Bound the pools of the applications; then raise the limit, which needs as many file descriptors.',
          commands: [
            'redis-cli CONFIG SET maxclients <number>',
            'redis-cli CONFIG SET timeout 300   # closes what is idle',
          ],
        },
      },
    ]
  },
}

/** `40 from 10.0.0.7`, the most first. */
function busiest(clients: readonly Fields[]): readonly string[] {
  const byHost = Map.groupBy(clients, (client) => (client.get('addr') ?? '').replace(/:\d+$/, ''))
  const counted = [...byHost].map(([host, list]) => [host, list.length] as const)
  return counted
    .toSorted((one, other) => other[1] - one[1])
    .map(([host, count]) => `${count} from ${host || 'a socket'}`)
}
