/** Has somebody else the port of Redis? */
import { ok, type PlainCheck } from '../../check.ts'

export const portTaken: PlainCheck<'redisHere' | 'wantedBind' | 'listeners' | 'redisProcesses'> = {
  id: 'host.port-taken',
  layer: 'host',
  title: 'the port belongs to Redis',
  why: 'When another process has the port, often a Redis in a container that publishes it, this Redis does not start, and clients speak to the wrong one.',
  severity: 'fail',
  needs: ['redisHere', 'wantedBind', 'listeners', 'redisProcesses'],
  explains: ['not-redis', 'wrong-password', 'password-missing', 'closed-at-start'],
  judge: ({ wantedBind, listeners, redisProcesses }) => {
    const ports = [wantedBind.port, wantedBind.tlsPort].filter((port) => port > 0)
    const there = listeners.filter(({ port }) => ports.includes(port))
    const evidence = [
      ...there.map(({ address, port, uid }) => `listens: ${address}:${port}, user ${uid}`),
      `Redis processes: ${redisProcesses.map(({ pid }) => pid).join(', ') || 'none that can be seen'}`,
    ]
    if (there.length === 0 || redisProcesses.length > 0) return ok('No other process has the port.', evidence)
    return [
      {
        state: 'fail',
        summary: `Somebody listens on port ${ports.join(', ')}, and no Redis process can be seen here.`,
        evidence,
        fix: {
          text: 'See who it is. A `docker-proxy` stands for a container that publishes the port; stop one of the two, or give it another port.',
          commands: [`sudo ss -ltnp 'sport = :${ports[0] ?? 6379}'`],
        },
      },
    ]
  },
}
