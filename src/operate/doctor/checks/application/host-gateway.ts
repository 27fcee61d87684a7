/** Does the name by which a container looks for the Redis of its host lead there? */
import { redisUses, type RedisUse } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type DoctorCheck, type Outcome } from '../../check.ts'
import type { WantedBind } from '../../evidence/host-values.ts'
import type { EvidenceValues } from '../../evidence/context.ts'
import { usesIn } from './uses.ts'

const NAME = 'host.docker.internal'
/** What Docker gives its first bridge when nobody says otherwise. */
const DOCKER0 = '172.17.0.1'

type Wanted = 'composeServices' | 'envFiles' | 'wantedBind' | 'dockerNetworks' | 'redisHere'

export const hostGateway: DoctorCheck<'redisApplication', Wanted> = {
  id: 'application.host-gateway',
  layer: 'application',
  title: `${NAME} against bind`,
  why: 'On Linux this name needs `extra_hosts`, and `host-gateway` is the address of docker0, not the gateway of the own network: a Redis that binds only the latter refuses.',
  severity: 'fail',
  needs: ['redisApplication'],
  wants: ['composeServices', 'envFiles', 'wantedBind', 'dockerNetworks', 'redisHere'],
  explains: ['refused'],
  judge: (evidence) => {
    const uses = usesIn(evidence).filter(({ host }) => host === NAME)
    if (uses.length === 0) return nothingToJudge(`No variable looks for Redis at ${NAME}.`)
    const found = [...unnamed(evidence), ...unheard(evidence, uses)]
    return found.length > 0 ? found : ok(`${NAME} leads to a Redis that listens there, as far as can be seen.`)
  },
}

/** Services that use the name and are not told what it is. */
function unnamed({ composeServices = [] }: Partial<EvidenceValues>): readonly Outcome[] {
  const using = composeServices.filter(
    ({ environment, envFiles }) => envFiles.length > 0 || redisUses(environment).some(({ host }) => host === NAME),
  )
  const untold = using.filter(({ extraHosts }) => !extraHosts.some((entry) => entry.startsWith(NAME)))
  return untold.map(({ name, file }) => ({
    state: 'warn',
    summary: `Service ${name} looks for ${NAME}, and on Linux nothing tells it what that is.`,
    evidence: [`${file}: service ${name} has no extra_hosts for it`],
    fix: {
      text: `Add \`extra_hosts: ["${NAME}:host-gateway"]\`, or the address that Redis binds: \`extra_hosts: ["redis.host:<address>"]\`.`,
    },
  }))
}

function unheard(
  { composeServices = [], wantedBind, dockerNetworks = [], redisHere }: Partial<EvidenceValues>,
  uses: readonly RedisUse[],
): readonly Outcome[] {
  if (wantedBind === undefined || redisHere === undefined) return []
  const gateway = dockerNetworks.find(({ name }) => name === 'bridge')?.gateways[0] ?? DOCKER0
  const told = composeServices
    .flatMap(({ extraHosts }) => extraHosts)
    .map((entry) => /^host\.docker\.internal[:=](\d[\d.]+)$/.exec(entry)?.[1])
  const address = told.find((one) => one !== undefined) ?? gateway
  if (listens(wantedBind, address)) return []
  return [
    {
      state: 'fail',
      summary: `${NAME} is ${address} here, and Redis does not bind it: containers are refused.`,
      evidence: [
        ...new Set(uses.map(({ name, port }) => `${name}: ${NAME}:${port}`)),
        `bind ${wantedBind.addresses.map((one) => one.address).join(' ')} (${wantedBind.from})`,
      ],
      fix: {
        text: `Bind ${address} too, with a password set, or name an address that Redis binds in extra_hosts.`,
        commands: ['evenkeel setup redis-host', 'evenkeel setup env'],
      },
    },
  ]
}

function listens({ addresses }: WantedBind, address: string): boolean {
  return addresses.some((one) => one.address === address || (one.wildcard && one.family !== 6))
}
