/** The arguments of `evenkeel check`. */
import { durationText, numberText } from '../options.ts'
import { parsed, pem } from './arguments.ts'
import type { Endpoints } from './endpoints.ts'

export interface CheckArguments extends Endpoints {
  readonly timeoutMs: number
  /** Undefined: look once. */
  readonly waitMs: number | undefined
  readonly write: boolean
  readonly probes: number
  readonly keyPrefix: string
  readonly json: boolean
  readonly quiet: boolean
  readonly help: boolean
}

const OPTIONS = {
  'env-file': { type: 'string', multiple: true },
  timeout: { type: 'string', default: '5s' },
  wait: { type: 'string' },
  write: { type: 'boolean', default: false },
  probes: { type: 'string', default: '10' },
  'key-prefix': { type: 'string', default: 'evenkeel:check:' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  'cert-key': { type: 'string' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const TIMEOUT = { min: 100, max: 600_000 }
const WAIT = { min: 1, max: 86_400_000 }
const PROBES = { max: 10_000 }

/** @throws OptionError that names what is wrong */
export function readArguments(args: readonly string[]): CheckArguments {
  const { values, positionals } = parsed(args, OPTIONS)
  return {
    urls: positionals,
    envFiles: values['env-file'] ?? [],
    timeoutMs: durationText('--timeout', values.timeout, TIMEOUT),
    waitMs: values.wait === undefined ? undefined : durationText('--wait', values.wait, WAIT),
    write: values.write,
    probes: numberText('--probes', values.probes, PROBES),
    keyPrefix: values['key-prefix'],
    tls: {
      ...pem('--ca', values.ca, 'ca'),
      ...pem('--cert', values.cert, 'cert'),
      ...pem('--cert-key', values['cert-key'], 'key'),
    },
    json: values.json,
    quiet: values.quiet,
    help: values.help,
  }
}
