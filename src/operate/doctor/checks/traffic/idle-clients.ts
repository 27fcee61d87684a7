/** Are there connections that nobody uses, and can one tell whose they are? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { durationText, some, told } from '../words.ts'

const IDLE_S = 3600
const MANY = 50
const SHARE = 0.5

export const idleClients: DoctorCheck<'clients', 'config'> = {
  id: 'traffic.idle-clients',
  layer: 'traffic',
  title: 'idle and nameless clients',
  why: 'Connections that nobody closes fill the server up to maxclients, and without names nobody can say whose they are.',
  severity: 'warn',
  needs: ['clients'],
  wants: ['config'],
  judge: ({ clients, config }) => {
    const idle = clients.filter(
      (client) => numberIn(client, 'idle') > IDLE_S && /^[Nx]/.test(client.get('flags') ?? ''),
    )
    const nameless = clients.filter((client) => client.get('name') === '' && !/[MS]/.test(client.get('flags') ?? ''))
    const evidence = [
      `${clients.length} clients: ${idle.length} idle for more than an hour, ${nameless.length} without a name`,
      ...(config === undefined ? [] : told(config, 'timeout')),
      ...some(
        idle.map((client) => `${client.get('addr')} idle for ${durationText(numberIn(client, 'idle'))}`),
        3,
      ),
    ]
    if (idle.length <= MANY || idle.length < SHARE * clients.length) return ok('Few are idle.', evidence)
    return [
      {
        state: 'warn',
        summary: `${idle.length} of ${clients.length} clients have been idle for more than an hour.`,
        evidence,
        fix: {
          text: 'Let the application close what it does not use, or the server; clients that reconnect by themselves do not mind. CLIENT SETNAME (or the name in the URL options) tells whose they are.',
          commands: ['redis-cli CONFIG SET timeout 3600'],
        },
        undo: { text: 'Never close them.', commands: ['redis-cli CONFIG SET timeout 0'] },
      },
    ]
  },
}
