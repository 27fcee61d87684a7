/** Can containers reach this Redis at the gateway of their network? */
import { listensAt } from '../../../host/sockets.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const dockerGateways: PlainCheck<'redisHere' | 'wantedBind' | 'listeners' | 'dockerNetworks'> = {
  id: 'host.docker-gateways',
  layer: 'host',
  title: 'listening at the gateways of Docker networks',
  why: 'A container reaches a Redis of its host at the gateway of its network, and only where Redis listens there.',
  severity: 'info',
  needs: ['redisHere', 'wantedBind', 'listeners', 'dockerNetworks'],
  judge: ({ wantedBind, listeners, dockerNetworks }) => {
    const bridges = dockerNetworks.filter(({ driver, gateways }) => driver === 'bridge' && gateways.length > 0)
    if (bridges.length === 0) return nothingToJudge('Docker has no bridge network here.')
    const port = wantedBind.port || wantedBind.tlsPort
    const facts = bridges.flatMap(({ name, gateways }) =>
      gateways.map((gateway) => ({ name, gateway, served: listensAt(listeners, gateway, port) })),
    )
    const evidence = facts.map(
      ({ name, gateway, served }) => `${name}: ${gateway}:${port} ${served ? 'is listened at' : 'is not listened at'}`,
    )
    if (facts.every(({ served }) => served)) return ok('Containers of every network can reach it.', evidence)
    return [
      {
        state: 'info',
        summary: 'Containers of some networks cannot reach this Redis at their gateway.',
        evidence,
        fix: {
          text: 'Nothing, if no container there needs it. Else add the gateway to bind with a password set (`evenkeel setup redis-host`). `host.docker.internal:host-gateway` is the gateway of `bridge` (docker0), not of the own network.',
        },
      },
    ]
  },
}
