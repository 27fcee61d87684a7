/** The arguments of `evenkeel doctor`. */
import { OptionError } from '../errors.ts'
import {
  CATALOGUE,
  DOCTOR_LAYERS,
  PURPOSES,
  type DeclaredPurpose,
  type DoctorCheck,
  type Hints,
} from '../operate/index.ts'
import { durationText, wordOption } from '../options.ts'
import { parsed, pem } from './arguments.ts'
import type { Endpoints } from './endpoints.ts'

export interface DoctorArguments extends Endpoints {
  readonly checks: readonly DoctorCheck[]
  readonly hints: Hints
  readonly timeoutMs: number
  readonly json: boolean
  readonly verbose: boolean
  /** Logs to read instead of an examination; `-` is standard input. */
  readonly logs: readonly string[]
  /** Where to write a support archive; empty for a name with the time. */
  readonly bundle: string | undefined
  /** What to do instead of an examination. */
  readonly instead: 'list' | 'acl' | 'help' | undefined
}

const OPTIONS = {
  'env-file': { type: 'string', multiple: true },
  only: { type: 'string', multiple: true },
  skip: { type: 'string', multiple: true },
  role: { type: 'string', multiple: true },
  config: { type: 'string' },
  unit: { type: 'string' },
  compose: { type: 'string', multiple: true },
  log: { type: 'string', multiple: true },
  bundle: { type: 'string' },
  timeout: { type: 'string', default: '10s' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  'cert-key': { type: 'string' },
  json: { type: 'boolean', default: false },
  verbose: { type: 'boolean', short: 'v', default: false },
  list: { type: 'boolean', default: false },
  acl: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const TIMEOUT = { min: 1000, max: 600_000 }

/** @throws OptionError that names what is wrong */
export function readArguments(args: readonly string[]): DoctorArguments {
  const { values, positionals } = parsed(withBundleName(args), OPTIONS)
  const [urls, ids] = [positionals.filter(isUrl), positionals.filter((word) => !isUrl(word))]
  const envFiles = values['env-file'] ?? []
  return {
    urls,
    envFiles,
    tls: {
      ...pem('--ca', values.ca, 'ca'),
      ...pem('--cert', values.cert, 'cert'),
      ...pem('--cert-key', values['cert-key'], 'key'),
    },
    checks: chosen(ids, words(values.only), words(values.skip)),
    hints: {
      redisConf: values.config,
      unit: values.unit,
      composeFiles: values.compose ?? [],
      envFiles,
      purposes: words(values.role).map(purpose),
    },
    timeoutMs: durationText('--timeout', values.timeout, TIMEOUT),
    logs: values.log ?? [],
    bundle: values.bundle,
    json: values.json,
    verbose: values.verbose,
    instead: values.help ? 'help' : values.list ? 'list' : values.acl ? 'acl' : undefined,
  }
}

/** `--bundle` may stand alone; what follows it is its file when it looks like one. */
function withBundleName(args: readonly string[]): readonly string[] {
  return args.map((word, index) => {
    const named = /\.(tar\.gz|tgz)$/.test(args[index + 1] ?? '')
    return word === '--bundle' && !named ? '--bundle=' : word
  })
}

function isUrl(word: string): boolean {
  return word.includes('://')
}

function words(given: readonly string[] = []): readonly string[] {
  return given
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter(Boolean)
}

/** Ids name single checks; `only` and `skip` take layers and ids. */
function chosen(ids: readonly string[], only: readonly string[], skip: readonly string[]): readonly DoctorCheck[] {
  for (const word of [...ids, ...only, ...skip]) known(word)
  const wanted = [...ids, ...only]
  const matches = (words: readonly string[], { id, layer }: DoctorCheck): boolean =>
    words.includes(id) || words.includes(layer)
  const checks = CATALOGUE.filter((check) => (wanted.length === 0 || matches(wanted, check)) && !matches(skip, check))
  if (checks.length === 0) throw new OptionError('--skip', 'Expected --only and --skip to leave a check, got none.')
  return checks
}

function known(word: string): void {
  const layers: readonly string[] = DOCTOR_LAYERS
  if (layers.includes(word) || CATALOGUE.some(({ id }) => id === word)) return
  const near = CATALOGUE.filter(({ id }) => id.includes(word)).map(({ id }) => id)
  const hint = near.length > 0 ? `such as ${near.slice(0, 3).join(', ')}` : `or a layer: ${layers.join(', ')}`
  throw new OptionError(word, `Expected the id of a check, ${hint}, got '${word}'. See evenkeel doctor --list.`)
}

const SYNONYMS: Readonly<Record<string, string>> = {
  tasks: 'queue',
  broker: 'queue',
  session: 'sessions',
  result: 'results',
}

/** `cache=db0`, `queue=bull:*`, `cache`. */
function purpose(text: string): DeclaredPurpose {
  const [name = '', where = ''] = text.split('=', 2)
  const word = wordOption('--role', SYNONYMS[name] ?? name, PURPOSES)
  const database = /^db(\d+)$/.exec(where)?.[1]
  if (database !== undefined) return { purpose: word, database: Number(database), prefix: undefined }
  if (where === '' && !text.includes('=')) return { purpose: word, database: undefined, prefix: undefined }
  if (!/^[^*]+\*$/.test(where))
    throw new OptionError('--role', `Expected --role to say ${word}=db0 or ${word}=<prefix>*, got '${text}'.`)
  return { purpose: word, database: undefined, prefix: where.slice(0, -1) }
}
