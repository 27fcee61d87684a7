/** Is the port of a Redis in a container open to the world? */
import { commandSetting, isRedisService, type ComposeService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const EVERYWHERE = [undefined, '0.0.0.0', '[::]']

export const publishedPort: PlainCheck<'composeServices'> = {
  id: 'application.published-port',
  layer: 'application',
  title: 'published ports of Redis in compose files',
  why: '`6379:6379` opens the port on every address of the host, past most firewalls: Docker writes its own rules before those of ufw.',
  severity: 'fail',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const redis = composeServices.filter(isRedisService)
    if (redis.length === 0) return nothingToJudge('The compose files have no Redis.')
    const open = redis.flatMap((service) => openPorts(service).map((text) => ({ service, text })))
    if (open.length === 0) return ok('No Redis port is published beyond this machine.')
    return open.map(({ service, text }) => {
      const guarded = (commandSetting(service, 'requirepass') ?? '') !== ''
      return {
        state: guarded ? ('warn' as const) : ('fail' as const),
        summary: `Service ${service.name} publishes Redis on every address of the host${guarded ? '' : ', and sets no password'}.`,
        evidence: [`${service.file}: ports: ${text}`],
        fix: {
          text: 'Leave `ports:` out, services of the same file reach it by its name; or publish it for this machine alone: `127.0.0.1:6379:6379`.',
        },
      }
    })
  },
}

function openPorts({ ports }: ComposeService): readonly string[] {
  const redis = ports.filter(({ containerPort }) => [6379, 6380, 26_379].includes(containerPort))
  return redis.filter(({ hostAddress }) => EVERYWHERE.includes(hostAddress)).map(({ text }) => text)
}
