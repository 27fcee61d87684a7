/** `evenkeel setup`: which part of it, and its help; the rest is loaded when there is something to do. */
import { EvenkeelError, OptionError } from '../errors.ts'
import { SETUP_HELP } from './setup-help.ts'

const FAILED = 1
const WRONG_USE = 2

/** Resolves with the exit code: 0 done or nothing to do, 1 not done or not proven, 2 wrong use. */
export async function setup(args: readonly string[]): Promise<number> {
  const [name = ''] = args
  const help = Object.hasOwn(SETUP_HELP, name) ? SETUP_HELP[name] : undefined
  try {
    if (name === '--help' || name === '-h') return say(SETUP_HELP[''] ?? '')
    if (name === '' || help === undefined) throw new OptionError('setup', unknownPart(name))
    if (args.some((word) => word === '--help' || word === '-h')) return say(help)
    const given = (await import('./setup-arguments.ts')).readArguments(name, args.slice(1))
    return await (await import('./run-setup.ts')).runSetup(given)
  } catch (error) {
    if (!(error instanceof EvenkeelError)) throw error
    const wrongUse = error instanceof OptionError
    const next = wrongUse ? `See evenkeel setup ${help === undefined ? '' : `${name} `}--help.` : (error.nextStep ?? '')
    process.stderr.write(`evenkeel setup: ${error.message}\n${next}\n`)
    return wrongUse ? WRONG_USE : FAILED
  }
}

function unknownPart(name: string): string {
  const known = Object.keys(SETUP_HELP).filter((one) => one !== '')
  return `Expected one of ${known.join(', ')}, got ${name === '' ? 'nothing' : `'${name}'`}.`
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}
