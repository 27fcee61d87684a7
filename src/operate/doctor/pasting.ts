/**
 * Commands that can be pasted: a check says `redis-cli …`, and which server that is about is put in here, because the
 * same words without an address would change the settings of whatever listens on port 6379 of this machine.
 */
import type { Endpoint } from '../../link/index.ts'
import type { Remedy } from './check.ts'
import type { DoctorFinding } from './report.ts'

const USUAL = { host: '127.0.0.1', port: 6379 }
/** Words that say themselves which server is meant. */
const ELSEWHERE = / (-h|-p|-s|-u|--cluster) /

export function withAddress(finding: DoctorFinding, endpoint: Endpoint): DoctorFinding {
  const options = optionsFor(endpoint)
  return { ...finding, fix: addressed(finding.fix, options), undo: addressed(finding.undo, options) }
}

/** Of sentinels and clusters it depends on the moment which server it is. */
function optionsFor({ topology, addresses: [address], username, password, tls }: Endpoint): readonly string[] {
  if (topology !== 'single') return []
  return [
    ...(address.kind === 'socket' ? ['-s', address.path] : whereOf(address)),
    ...(tls === undefined ? [] : ['--tls']),
    ...(username === undefined ? [] : ['--user', quoted(username)]),
    ...(password === undefined ? [] : ['--askpass']),
  ]
}

function whereOf({ host, port }: { readonly host: string; readonly port: number }): readonly string[] {
  return host === USUAL.host && port === USUAL.port ? [] : ['-h', host, '-p', String(port)]
}

function addressed(remedy: Remedy | undefined, options: readonly string[]): Remedy | undefined {
  if (remedy?.commands === undefined) return remedy
  return { ...remedy, commands: remedy.commands.map((command) => inserted(command, options)) }
}

function inserted(command: string, options: readonly string[]): string {
  if (!command.startsWith('redis-cli ') || ELSEWHERE.test(command)) return command
  const missing = options.filter((option) => !command.includes(` ${option} `))
  return ['redis-cli', ...missing, command.slice('redis-cli '.length)].join(' ')
}

function quoted(word: string): string {
  return /^[\w.@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
