/** Can the health check of a Redis container fail when it should? */
import { isRedisService, isSentinelService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type Outcome, type PlainCheck } from '../../check.ts'

export const healthCheck: PlainCheck<'composeServices'> = {
  id: 'application.health-check',
  layer: 'application',
  title: 'health checks of Redis containers',
  why: '`redis-cli ping` ends with 0 on NOAUTH, LOADING, MISCONF, MASTERDOWN and too many clients: the container is healthy while nobody is served.',
  severity: 'warn',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const redis = composeServices.filter((service) => isRedisService(service) && !isSentinelService(service))
    if (redis.length === 0) return nothingToJudge('The compose files have no Redis.')
    const found = redis.flatMap(({ name, file, healthTest }): Outcome[] => {
      const test = healthTest.slice(1).join(' ')
      if (healthTest.length === 0)
        return [{ state: 'info', summary: `Service ${name} has no health check.`, evidence: [file], fix: BETTER }]
      if (!/redis-cli\b.*\bping\b/i.test(test) || /grep|PONG|redis-cli (-\S+ )*-e\b/.test(test)) return []
      return [
        {
          state: 'warn',
          summary: `The health check of service ${name} is green whatever Redis answers.`,
          evidence: [`${file}: ${test}`],
          fix: BETTER,
        },
      ]
    })
    return found.length > 0 ? found : ok('They tell a Redis that serves from one that answers.')
  },
}

const BETTER = {
  text: 'Let the answer decide, and not the exit code. `$$` is how a compose file writes `$`.',
  commands: [
    `test: ["CMD-SHELL", "REDISCLI_AUTH=$$(cat /run/secrets/redis_password) timeout 3 redis-cli ping | grep -qx PONG"]`,
  ],
}
