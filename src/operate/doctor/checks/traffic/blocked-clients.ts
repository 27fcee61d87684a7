/** Do clients wait for lists that nobody fills? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { some, told } from '../words.ts'

const MANY = 100
const SHARE = 0.5

export const blockedClients: DoctorCheck<'info', 'clients'> = {
  id: 'traffic.blocked-clients',
  layer: 'traffic',
  title: 'clients in blocking commands',
  why: 'Each worker of a queue waits in one; hundreds of them are usually connections that were lost and opened anew without end.',
  severity: 'warn',
  needs: ['info'],
  wants: ['clients'],
  judge: ({ info, clients = [] }) => {
    const blocked = numberIn(info, 'blocked_clients')
    const waiting = clients.filter((client) => (client.get('flags') ?? '').includes('b'))
    const kinds = [...Map.groupBy(waiting, (client) => client.get('cmd') ?? '')].map(
      ([cmd, list]) => `${list.length} in ${cmd}`,
    )
    const evidence = [...told(info, 'blocked_clients', 'connected_clients'), ...some(kinds)]
    if (!(blocked > MANY && blocked > SHARE * numberIn(info, 'connected_clients')))
      return ok('As many as workers may be.', evidence)
    return [
      {
        state: 'warn',
        summary: `${blocked} clients wait in blocking commands.`,
        evidence,
        fix: {
          text: 'Compare with the number of workers; more than these are left over from lost connections. tcp-keepalive finds the dead ones.',
          commands: ['redis-cli CLIENT LIST', 'redis-cli CONFIG SET tcp-keepalive 60'],
        },
      },
    ]
  },
}
