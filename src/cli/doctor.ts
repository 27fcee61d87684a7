/** `evenkeel doctor`: arguments first; what connects is loaded once they make sense. */
import { OptionError } from '../errors.ts'
import { readArguments } from './doctor-arguments.ts'
import { DOCTOR_HELP } from './doctor-help.ts'

const WRONG_USE = 2

/** Resolves with the exit code: 0 nothing fails, 1 something does, 2 wrong use. */
export async function doctor(args: readonly string[]): Promise<number> {
  try {
    const given = readArguments(args)
    if (given.instead !== 'help') return await (await import('./run-doctor.ts')).runDoctor(given)
    process.stdout.write(DOCTOR_HELP)
    return 0
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    process.stderr.write(`evenkeel doctor: ${error.message}\nSee evenkeel doctor --help.\n`)
    return WRONG_USE
  }
}
