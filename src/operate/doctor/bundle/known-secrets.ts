/** Every secret that the evidence has: what a support archive must not have. */
import { commandSetting } from '../../host/compose.ts'
import { secretsIn } from '../../host/redis-variables.ts'
import type { RedisConf } from '../../host/redis-conf.ts'
import { valueOr } from '../../evidence.ts'
import type { EvidenceContext } from '../evidence/context.ts'

const SETTINGS = [
  'requirepass',
  'masterauth',
  'primaryauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
  'sentinel-pass',
]

export async function knownSecrets(context: EvidenceContext): Promise<readonly string[]> {
  const { endpoint } = context.target
  const [config, conf, files, services] = await Promise.all([
    context.evidence('config'),
    context.evidence('redisConf'),
    context.evidence('envFiles'),
    context.evidence('composeServices'),
  ])
  const running = valueOr(config, new Map<string, string>())
  const variables = [context.host.environment, ...valueOr(files, []).map((file) => file.variables)]
  const compose = valueOr(services, [])
  const inCompose = compose.flatMap((service) => SETTINGS.map((name) => commandSetting(service, name)))
  const found = [
    endpoint.password,
    endpoint.sentinelCredentials.password,
    ...SETTINGS.map((name) => running.get(name)),
    ...(conf.kind === 'known' ? secretsOfConf(conf.value) : []),
    ...[...variables, ...compose.map((service) => service.environment)]
      .flatMap((one) => secretsIn(one))
      .map(({ secret }) => secret),
    ...inCompose,
  ]
  return found.filter((secret): secret is string => secret !== undefined && secret !== '')
}

/** Passwords, hashes of ACL users, and the secret names that commands were given. */
function secretsOfConf({ directives }: RedisConf): readonly string[] {
  return directives.flatMap(({ name, values }) => {
    if (SETTINGS.includes(name)) return values
    if (name === 'user') return values.filter((rule) => /^[><#!]/.test(rule)).map((rule) => rule.slice(1))
    if (name === 'rename-command') return values.slice(1)
    if (name === 'sentinel' && values[0] === 'auth-pass') return values.slice(2)
    return []
  })
}
