/** The user that the doctor needs: whatever the sources of evidence ask, and nothing else. */
import type { EvidenceSource } from './evidence/context.ts'
import { SOURCES } from './evidence/sources.ts'
import { makePasswordFile, withPassword } from './shell.ts'

/** The name that `--acl` proposes. */
const NAME = 'evenkeel-doctor'
const PASSWORD_FILE = 'doctor-password'

/**
 * Rules for `ACL SETUSER`. All keys, because samples are taken of all; of what is in them nothing can be read, but for
 * the one key that `check` asks for, by a selector, which there is since Redis 7.0.
 */
function doctorRules(): readonly string[] {
  const sources: readonly EvidenceSource<unknown>[] = Object.values(SOURCES)
  const commands = [...new Set(sources.flatMap(({ commands = [] }) => commands))].toSorted()
  return ['~*', '-@all', ...commands.map((command) => `+${command}`), '(~evenkeel:check:* +get)']
}

/** Ready to be pasted into a shell; the password is made there and stands in no history. */
export function doctorUserCommand(): string {
  const words = doctorRules().map((rule) => (/[~*()|]/.test(rule) ? `'${rule}'` : rule))
  const user = withPassword('>', PASSWORD_FILE, `ACL SETUSER ${NAME} reset on ${words.join(' ')}`)
  return `${makePasswordFile(PASSWORD_FILE)}\n${user}`
}
