/** Has checked what is to be checked, and prints what was found. */
import { OptionError } from '../errors.ts'
import { check, checkUntilServed, type Diagnosis, type Targets } from '../operate/index.ts'
import type { CheckArguments } from './check-arguments.ts'
import { asJson, asNote, inOneLine } from './check-text.ts'
import { limitResolver, readTargets } from './endpoints.ts'
import { ending, painter } from './terminal.ts'

const SERVED = 0
const NOT_SERVED = 1

/**
 * Returns the exit code.
 * @throws OptionError when what is to be checked cannot be read
 */
export async function runCheck(given: CheckArguments): Promise<number> {
  const { targets, notices } = readTargets(given)
  if (!given.quiet) for (const notice of notices) process.stderr.write(`note: ${notice}\n`)
  if (targets.length === 0) throw new OptionError('endpoint', NOTHING_NAMED)
  limitResolver()
  return await report(await examine(targets, given), given)
}

const NOTHING_NAMED =
  'Nothing to check: give a URL such as redis://127.0.0.1:6379, or set REDIS_URL, REDIS_HOST or DATABASE_URL.'

function examine(targets: Targets['targets'], given: CheckArguments): Promise<readonly Diagnosis[]> {
  if (given.waitMs === undefined) return check(targets, given)
  let told = ''
  const waiting = (diagnoses: readonly Diagnosis[], remainingMs: number): void => {
    const away = diagnoses.filter(({ served }) => !served).map((diagnosis) => inOneLine(diagnosis))
    const text = away.join('\n')
    if (given.quiet || text === told) return
    told = text
    for (const line of away) process.stderr.write(`waiting, ${Math.ceil(remainingMs / 1000)} s left: ${line}\n`)
  }
  return checkUntilServed(targets, { ...given, waitMs: given.waitMs, waiting })
}

async function report(diagnoses: readonly Diagnosis[], { json, quiet }: CheckArguments): Promise<number> {
  const away = diagnoses.filter(({ served }) => !served)
  const code = away.length === 0 ? SERVED : NOT_SERVED
  if (json) return await ending(asJson(diagnoses), code)
  if (!quiet) return await ending(asNote(diagnoses, painter(process.stdout)), code)
  // One line, so that the log of a container's health checks says why.
  return await ending(away.map((diagnosis) => `${inOneLine(diagnosis)}\n`).join(''), code)
}
