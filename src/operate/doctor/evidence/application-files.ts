/** The files of the application: compose files and `.env`, those that were named, else those in the working directory. */
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { known, notAvailable, type Evidence, type Missing } from '../../evidence.ts'
import { parseCompose, type ComposeService } from '../../host/compose.ts'
import type { EvidenceContext } from './context.ts'
import type { EnvFile } from './host-values.ts'

const COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

export async function composeServices(context: EvidenceContext): Promise<Evidence<readonly ComposeService[]>> {
  const { host, hints } = context
  const named = hints.composeFiles ?? []
  const envFiles = await context.evidence('envFiles')
  const services: ComposeService[] = []
  let files = 0
  for (const file of named.length > 0 ? named : COMPOSE_FILES) {
    const text = await host.readFile(file)
    if (text.kind === 'not-available' && named.length === 0) continue
    if (text.kind !== 'known') return text
    const parsed = await parseCompose(text.value, file, variablesFor(file, envFiles, (hints.envFiles ?? []).length > 0))
    if (parsed.kind !== 'known') return parsed
    services.push(...parsed.value)
    files += 1
  }
  return files > 0 ? known(services) : notAvailable(`there is no compose file here: ${COMPOSE_FILES.join(', ')}`)
}

/** Compose fills in from the `.env` beside the file; files that were named take its place, as with `--env-file`. */
function variablesFor(
  file: string,
  envFiles: Evidence<readonly EnvFile[]>,
  named: boolean,
): Readonly<Record<string, string>> {
  if (envFiles.kind !== 'known') return {}
  const beside = join(dirname(file), '.env')
  const used = named ? envFiles.value : envFiles.value.filter(({ path }) => path === beside)
  return Object.assign({}, ...used.map(({ variables }) => variables)) as Record<string, string>
}

export async function envFiles({ host, hints }: EvidenceContext): Promise<Evidence<readonly EnvFile[]>> {
  const named = hints.envFiles ?? []
  const paths =
    named.length > 0 ? named : ['.env', ...(hints.composeFiles ?? []).map((file) => join(dirname(file), '.env'))]
  const found: EnvFile[] = []
  for (const path of new Set(paths.map((one) => join(one)))) {
    const text = await host.readFile(path)
    if (text.kind === 'not-available' && named.length === 0) continue
    if (text.kind !== 'known') return text
    const facts = await host.stat(path)
    const variables = parseEnv(text.value) as Record<string, string>
    found.push({ path, variables, mode: facts.kind === 'known' ? facts.value.mode : Number.NaN })
  }
  return found.length > 0 ? known(found) : notAvailable('there is no .env here')
}

/** What there is of both. */
export async function redisApplication(context: EvidenceContext): Promise<Evidence<readonly string[]>> {
  const [compose, variables] = await Promise.all([context.evidence('composeServices'), context.evidence('envFiles')])
  const services = compose.kind === 'known' ? compose.value.map(({ file }) => file) : []
  const files = variables.kind === 'known' ? variables.value.map(({ path }) => path) : []
  if (services.length + files.length > 0) return known([...new Set([...services, ...files])])
  return compose.kind === 'not-available'
    ? notAvailable('there is neither a compose file nor a .env here')
    : (compose as Missing)
}
