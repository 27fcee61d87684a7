/** The arguments of `evenkeel check`. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { OptionError } from '../errors.ts'
import { durationText, numberText } from '../options.ts'

export interface CheckArguments {
  readonly urls: readonly string[]
  readonly envFiles: readonly string[]
  readonly timeoutMs: number
  /** Undefined: look once. */
  readonly waitMs: number | undefined
  readonly write: boolean
  readonly probes: number
  readonly keyPrefix: string
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string }
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
  const { values, positionals } = parsed(args)
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

function parsed(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args)
  } catch (error) {
    // It quotes the option that it does not know, never a value.
    throw new OptionError('arguments', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
}

function pem(option: string, path: string | undefined, field: 'ca' | 'cert' | 'key'): CheckArguments['tls'] {
  if (path === undefined) return {}
  try {
    return { [field]: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new OptionError(option, `Expected ${option} to name a file that can be read, got '${path}'.`, {
      cause: error,
    })
  }
}
