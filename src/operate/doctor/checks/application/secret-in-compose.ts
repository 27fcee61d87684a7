/** Does a password stand in the compose file itself? */
import type { ComposeService } from '../../../host/compose.ts'
import { isSecretName } from '../../../host/redis-variables.ts'
import { ok, type PlainCheck } from '../../check.ts'

export const secretInCompose: PlainCheck<'composeServices'> = {
  id: 'application.secret-in-compose',
  layer: 'application',
  title: 'passwords in compose files',
  why: 'What stands in a compose file is in the repository, in `docker inspect` and in every backup of both; it is changed nowhere in time.',
  severity: 'warn',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const found = composeServices.flatMap((service) =>
      placesOf(service).map((place) => `${service.file}: service ${service.name}, ${place}`),
    )
    if (found.length === 0) return ok('No password stands in a compose file.')
    return [
      {
        state: 'warn',
        summary: `A password stands in clear in ${found.length === 1 ? 'one place' : `${found.length} places`} of the compose files.`,
        evidence: found,
        fix: {
          text: 'Put it into a secret file (`secrets:`, mode 600) or a `.env` that is not in the repository, without a default in the compose file; then change it, for it has been seen.',
          commands: ['evenkeel setup compose --dry-run'],
        },
      },
    ]
  },
}

/** Where, never what. */
function placesOf({ written }: ComposeService): readonly string[] {
  const service = JSON.parse(written) as { environment?: unknown }
  const environment = Object.entries(pairsOf(service.environment))
  const variables = environment
    .filter(([name, value]) => isSecretName(name) && isLiteral(value))
    .map(([name]) => `environment ${name}`)
  const options = [...written.matchAll(/--(requirepass|masterauth)(?:\s+|",")(\$\{[^}]*\}|[^\s"]+)/g)]
  const inCommand = options.filter(([, , value = '']) => isLiteral(value)).map(([, name = '']) => `command --${name}`)
  const urls = [...written.matchAll(/[a-z]+:\/\/[^\s/@:"]*:([^\s@"]+)@/g)]
    .filter(([, value = '']) => isLiteral(value))
    .map(() => 'a URL')
  return [...variables, ...inCommand, ...urls]
}

function pairsOf(environment: unknown): Readonly<Record<string, string>> {
  if (Array.isArray(environment))
    return Object.fromEntries(
      environment.map(String).map((pair) => [pair.split('=', 1)[0] ?? '', pair.split('=').slice(1).join('=')]),
    )
  if (typeof environment !== 'object' || environment === null) return {}
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value ?? ''),
    ]),
  )
}

/** `${NAME}` and `$NAME` come from elsewhere; `${NAME:-default}` has a secret in it for whoever sets nothing. */
function isLiteral(value: string): boolean {
  if (value === '' || value === '""' || value.startsWith('$$')) return false
  if (/^\$(\w+|\{\w+(:?[?+][^}]*)?\})$/.test(value)) return false
  return !/^\$\{\w+:?-\}$/.test(value)
}
