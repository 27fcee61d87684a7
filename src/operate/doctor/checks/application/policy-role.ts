/** May a Redis that holds jobs throw them away? */
import { commandSetting, isRedisService, type ComposeService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type DoctorCheck, type Outcome } from '../../check.ts'
import { usesIn } from './uses.ts'

export const policyRole: DoctorCheck<'composeServices', 'envFiles'> = {
  id: 'application.policy-role',
  layer: 'application',
  title: 'eviction policies in compose files against what uses them',
  why: 'An allkeys policy evicts queued jobs and sessions like any other key, and says nothing: of 40 jobs 38 were gone, with no error anywhere.',
  severity: 'fail',
  needs: ['composeServices'],
  wants: ['envFiles'],
  judge: ({ composeServices, envFiles = [] }) => {
    const redis = composeServices.filter(
      (service) => isRedisService(service) && commandSetting(service, 'maxmemory-policy') !== undefined,
    )
    if (redis.length === 0)
      return nothingToJudge('No Redis of the compose files is given a maxmemory-policy in its command.')
    const queues = usesIn({ composeServices, envFiles }).filter(({ queue }) => queue)
    const found = redis.flatMap((service) =>
      outcomesOf(
        service,
        queues.filter(({ host }) => isAt(host, service)).map(({ name }) => name),
      ),
    )
    return found.length > 0 ? found : ok('No policy evicts what must not be lost, as far as these files tell.')
  },
}

/** From outside of the file a service is reached at the host. */
function isAt(host: string, { name, ports }: ComposeService): boolean {
  return host === name || (ports.length > 0 && ['localhost', '127.0.0.1', 'host.docker.internal'].includes(host))
}

function outcomesOf(service: ComposeService, queues: readonly string[]): readonly Outcome[] {
  const policy = commandSetting(service, 'maxmemory-policy') ?? ''
  const evidence = [
    `${service.file}: service ${service.name}: maxmemory-policy ${policy}`,
    ...queues.map((name) => `${name} is a queue on it`),
  ]
  if (policy === 'noeviction' || (queues.length === 0 && !policy.startsWith('allkeys'))) return []
  if (queues.length === 0)
    return [
      {
        state: 'info',
        summary: `Service ${service.name} may evict any key (${policy}): right for a cache, and for nothing else.`,
        evidence,
      },
    ]
  const volatile = policy.startsWith('volatile')
  return [
    {
      state: volatile ? 'warn' : 'fail',
      summary: volatile
        ? `Service ${service.name} keeps a queue and evicts what has a time to live (${policy}): locks and delayed jobs have one.`
        : `Service ${service.name} keeps a queue and may evict its jobs (${policy}).`,
      evidence,
      fix: {
        text: 'Give cache and queue an instance each: one policy holds for a whole instance, database numbers change nothing. The queue takes noeviction and appendonly.',
        commands: ['evenkeel setup compose --dry-run'],
      },
    },
  ]
}
