/** Do the data of a Redis container outlive the container? */
import { commandSetting, isRedisService, isSentinelService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const volume: PlainCheck<'composeServices'> = {
  id: 'application.volume',
  layer: 'application',
  title: 'volumes of Redis containers',
  why: 'Without a named volume at /data the next `docker compose up` with another image or setting begins with an empty Redis.',
  severity: 'warn',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const redis = composeServices.filter((service) => isRedisService(service) && !isSentinelService(service))
    if (redis.length === 0) return nothingToJudge('The compose files have no Redis.')
    const lost = redis.filter(
      ({ volumes }) => !volumes.some(({ source, target }) => source !== '' && target.startsWith('/data')),
    )
    if (lost.length === 0) return ok('Their data have a volume.')
    return lost.map((service) => {
      const wanted = commandSetting(service, 'appendonly') === 'yes'
      return {
        state: wanted ? ('warn' as const) : ('info' as const),
        summary: `The data of service ${service.name} go with its container.`,
        evidence: [
          `${service.file}: service ${service.name} has no volume at /data`,
          ...(wanted ? ['appendonly yes: they are meant to last'] : []),
        ],
        fix: { text: 'Give it a named volume: `volumes: ["redis-data:/data"]`. A pure cache may do without.' },
      }
    })
  },
}
