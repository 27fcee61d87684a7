/** Does somebody listen at every address of `bind`? */
import { listensAt } from '../../../host/sockets.ts'
import type { BindAddress } from '../../../host/redis-conf.ts'
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'

export const bindListening: DoctorCheck<'redisHere' | 'wantedBind' | 'listeners', 'ipv6Off'> = {
  id: 'host.bind-listening',
  layer: 'host',
  title: 'listening sockets against bind',
  why: 'An optional address (`-addr`), and any address up to Redis 6.0, is left out in silence when it is not there at the start: the service is active, and clients are refused for ever.',
  severity: 'fail',
  needs: ['redisHere', 'wantedBind', 'listeners'],
  wants: ['ipv6Off'],
  explains: ['refused', 'connect-timeout'],
  judge: ({ wantedBind, listeners, ipv6Off = false }) => {
    const ports = [wantedBind.port, wantedBind.tlsPort].filter((port) => port > 0)
    if (ports.length === 0) return nothingToJudge('Redis listens on no TCP port (port 0).')
    const wanted = wantedBind.addresses.map((bound) => ({ bound, at: addressOf(bound) }))
    const evidence = listeners
      .filter(({ port }) => ports.includes(port))
      .map(({ address, port }) => `listens: ${address}:${port}`)
    const deaf = wanted
      .filter(({ bound }) => !(bound.optional && bound.family === 6 && ipv6Off))
      .flatMap(({ at }) => ports.filter((port) => !listensAt(listeners, at, port)).map((port) => `${at}:${port}`))
    if (deaf.length === 0) return ok('Every address of bind is listened at.', evidence)
    const all = evidence.length === 0
    return [
      {
        state: 'fail',
        summary: all
          ? `Nobody listens on port ${ports.join(', ')}: Redis does not run here.`
          : `Nobody listens at ${deaf.join(', ')}.`,
        evidence: [...deaf.map((place) => `does not listen: ${place}`), ...evidence],
        fix: all
          ? {
              text: 'Start it; when it does not start, its log says why.',
              commands: ['sudo systemctl restart redis-server', 'journalctl -u redis-server -n 50'],
            }
          : {
              text: 'Bind again, which keeps open connections; `evenkeel setup redis-host` makes it hold for the next boot.',
              commands: ['redis-cli CONFIG SET bind "<the whole list>"'],
            },
      },
    ]
  },
}

function addressOf({ address, wildcard, family }: BindAddress): string {
  if (!wildcard) return address
  return family === 6 ? '::' : '0.0.0.0'
}
