#!/usr/bin/env node
/**
 * The command line. Here is only what every call needs; a command is loaded when it is asked for, so that
 * `evenkeel --version` costs no more than Node itself.
 */
import { readFileSync } from 'node:fs'

/** Each resolves with the exit code. */
const COMMANDS: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  check: async () => (await import('./check.ts')).check,
  doctor: async () => (await import('./doctor.ts')).doctor,
  setup: async () => (await import('./setup.ts')).setup,
}

const WRONG_USE = 2

const USAGE = `Keeps an application serving while its Redis does not, and helps to get Redis back.

Usage: evenkeel <command> [options]

Commands:
  check    Can we be served now? Looks at Redis, PostgreSQL and other endpoints, layer by layer
  doctor   Why not, or not for long? Looks at everything that Redis depends on, and says what to do
  setup    Makes Redis survive reboots, writes compose projects and configurations, proves them, takes them back

Options:
  --help       This text; evenkeel <command> --help tells of a command
  --version    The version of Evenkeel

Examples:
  evenkeel check                           What the environment names
  evenkeel check --wait 60s && npm start   A gate before the start
  sudo evenkeel doctor                     On the machine of Redis
  evenkeel setup redis-host --dry-run      What would let it survive the next reboot
`

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') return say(`${version()}\n`)
  if (name === '--help' || name === '-h' || name === 'help') return say(USAGE)
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load !== undefined) return await (await load())(args)
  process.stderr.write(name === '' ? USAGE : `evenkeel: there is no command '${name}'. See evenkeel --help.\n`)
  return WRONG_USE
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** An older Node lacks what the commands stand on; npm installs them there all the same, with a warning that is easily missed. */
function oldNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return undefined
  return `evenkeel: Node 22.18 or newer is needed; this is ${process.versions.node} (${process.execPath}).\n`
}

const old = oldNode()
if (old === undefined) process.exitCode = await main(process.argv.slice(2))
else {
  process.stderr.write(old)
  process.exitCode = WRONG_USE
}
