/** Does a container look for Redis in itself? */
import { isLoopback } from '../../../host/addresses.ts'
import { isRedisService } from '../../../host/compose.ts'
import { redisUses } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const localhost: PlainCheck<'composeServices'> = {
  id: 'application.localhost',
  layer: 'application',
  title: 'localhost in the variables of containers',
  why: 'In a container localhost is the container. What works on the desk of the developer is refused there.',
  severity: 'fail',
  needs: ['composeServices'],
  explains: ['refused'],
  judge: ({ composeServices }) => {
    const users = composeServices.filter((service) => redisUses(service.environment).length > 0)
    if (users.length === 0) return nothingToJudge('No service of the compose files is told of a Redis.')
    const own = users.filter(({ networkMode }) => networkMode !== 'host' && !(networkMode ?? '').startsWith('service:'))
    const wrong = own.flatMap(({ name, file, environment }) =>
      redisUses(environment)
        .filter(({ host }) => isLoopback(host))
        .map((use) => ({ name, file, variable: use.name, host: use.host })),
    )
    if (wrong.length === 0) return ok('They look for it elsewhere than in themselves.')
    const redis = composeServices.find(isRedisService)?.name ?? '<service of Redis>'
    return wrong.map(({ name, file, variable, host }) => ({
      state: 'fail',
      summary: `Service ${name} looks for Redis in its own container (${host}).`,
      evidence: [`${file}: service ${name}, ${variable}`],
      fix: { text: `Write the name of the service: \`${redis}\`. For a Redis of the host see \`evenkeel setup env\`.` },
    }))
  },
}
