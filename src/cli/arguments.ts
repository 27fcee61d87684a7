/** What the arguments of several commands have in common. */
import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { OptionError } from '../errors.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<Known extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Known; allowPositionals: true }>
>

/** @throws OptionError for an option that is not known, or has no value */
export function parsed<const Known extends Options>(args: readonly string[], options: Known): Parsed<Known> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    // It quotes the option that it does not know, never a value.
    throw new OptionError('arguments', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** PEM files, by the names that TLS settings have. */
export interface PemTexts {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** @throws OptionError when the file cannot be read */
export function pem(option: string, path: string | undefined, field: keyof PemTexts): PemTexts {
  if (path === undefined) return {}
  try {
    return { [field]: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new OptionError(option, `Expected ${option} to name a file that can be read, got '${path}'.`, {
      cause: error,
    })
  }
}
