/**
 * Commands that can be pasted: a check says `redis-cli …`, and which server that is about is put in here, because the
 * same words without an address would change the settings of whatever listens on port 6379 of this machine. What the reader
 * has to put in himself is quoted.
 */
import type { Endpoint } from '../../link/index.ts'
import type { Remedy } from './check.ts'
import type { DoctorFinding } from './report.ts'
import { quoted, withQuotedPlaceholders } from './shell.ts'

const USUAL = { host: '127.0.0.1', port: 6379 }
/** Words that say themselves which server is meant. */
const ELSEWHERE = / (-h|-p|-s|-u|--cluster) /

export function withAddress(finding: DoctorFinding, endpoint: Endpoint): DoctorFinding {
  const options = optionsFor(endpoint)
  return { ...finding, fix: addressed(finding.fix, options), undo: addressed(finding.undo, options) }
}

interface Options {
  /** Which server, and as whom. */
  readonly where: readonly string[]
  /** It wants one. */
  readonly password: boolean
}

/** Of sentinels and clusters it depends on the moment which server it is. */
function optionsFor({ topology, addresses: [address], username, password, tls }: Endpoint): Options {
  if (topology !== 'single') return { where: [], password: false }
  const where = [
    ...(address.kind === 'socket' ? ['-s', address.path] : whereOf(address)),
    ...(tls === undefined ? [] : ['--tls']),
    ...(username === undefined ? [] : ['--user', quoted(username)]),
  ]
  return { where, password: password !== undefined }
}

function whereOf({ host, port }: { readonly host: string; readonly port: number }): readonly string[] {
  return host === USUAL.host && port === USUAL.port ? [] : ['-h', host, '-p', String(port)]
}

function addressed(remedy: Remedy | undefined, options: Options): Remedy | undefined {
  if (remedy?.commands === undefined) return remedy
  return { ...remedy, commands: remedy.commands.map((command) => withQuotedPlaceholders(inserted(command, options))) }
}

const LOGIN = `REDISCLI_AUTH="$(cat '<file with the password of now>')" `

/** Where a command may begin: at the start, behind a pipe, behind a variable of its own. */
const REDIS_CLI = /(^|\| |" )redis-cli /

function inserted(command: string, { where, password }: Options): string {
  if (!REDIS_CLI.test(command) || ELSEWHERE.test(command)) return command
  const logsIn = / --askpass /.test(command) || command.includes('REDISCLI_AUTH=')
  // With -x its input is an argument, and --askpass would take it for the password.
  const readsInput = / -x /.test(command)
  const variable = password && readsInput && !logsIn ? LOGIN : ''
  const asks = password && !readsInput && !logsIn ? ['--askpass'] : []
  const missing = [...where, ...asks].filter((option) => !command.includes(` ${option} `))
  const words = ['redis-cli', ...missing, ''].join(' ')
  return command.replace(REDIS_CLI, (_, before: string) => `${before}${variable}${words}`)
}
