/** `evenkeel check`: arguments first; what connects is loaded once they make sense. */
import { OptionError } from '../errors.ts'
import { readArguments } from './check-arguments.ts'
import { CHECK_HELP } from './check-help.ts'

const WRONG_USE = 2

/** Resolves with the exit code: 0 all served, 1 not served, 2 wrong use. */
export async function check(args: readonly string[]): Promise<number> {
  try {
    const given = readArguments(args)
    if (!given.help) return await (await import('./run-check.ts')).runCheck(given)
    process.stdout.write(CHECK_HELP)
    return 0
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    process.stderr.write(`evenkeel check: ${error.message}\nSee evenkeel check --help.\n`)
    return WRONG_USE
  }
}
