/** Which endpoints a command is about. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { OptionError } from '../errors.ts'
import { targetOfUrl, targetsOfVariables, type Targets } from '../operate/index.ts'
import type { PemTexts } from './arguments.ts'

export interface Endpoints {
  readonly urls: readonly string[]
  readonly envFiles: readonly string[]
  /** For endpoints whose URL asks for TLS. */
  readonly tls: PemTexts
}

/**
 * Arguments say all when there are any; else the files do, else the environment.
 * @throws OptionError when what is named cannot be read
 */
export function readTargets({ urls, envFiles, tls }: Endpoints): Targets {
  if (urls.length > 0)
    return { targets: urls.map((url, index) => targetOfUrl(url, `argument ${index + 1}`, tls)), notices: [] }
  if (envFiles.length === 0) return targetsOfVariables(process.env, tls)
  return targetsOfVariables(Object.assign({}, ...envFiles.map(variablesOf)), tls)
}

function variablesOf(path: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new OptionError('--env-file', `Expected --env-file to name a file that can be read, got '${path}'.`, {
      cause: error,
    })
  }
}

/**
 * A question to a dead name server cannot be taken back, and Node waits for it before it ends: up to 30 s with the
 * defaults of glibc, which reads this variable with the first question.
 */
export function limitResolver(): void {
  process.env['RES_OPTIONS'] ??= 'timeout:1 attempts:2'
}
