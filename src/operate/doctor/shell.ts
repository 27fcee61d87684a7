/**
 * Commands for a shell that do no harm when they are pasted as they are: words of the reader's own are quoted, because a
 * bare `<` is a redirection, and a password comes from a file, because what stands on a command line stays in the history
 * of the shell and is seen in the list of processes.
 */

/** `redis-cli -x` takes its last argument from here as it is, so there is no end of line in it. */
const PASSWORD_FILE = 'redis-password'

/** A new password by chance, in a file that only its owner reads. */
export function makePasswordFile(file: string = PASSWORD_FILE): string {
  return `(umask 077; openssl rand -hex 32 | tr -d '\\n' > ${file})`
}

/** A new password of the default user, which is who comes in without saying a name; kept over a restart. */
export const SET_PASSWORD: readonly string[] = [
  makePasswordFile(),
  `redis-cli -x CONFIG SET requirepass < ${PASSWORD_FILE}`,
  `REDISCLI_AUTH="$(cat ${PASSWORD_FILE})" redis-cli CONFIG REWRITE`,
]

/** ACL SETUSER with the password in `file` as its last rule: `>` adds it, `<` takes it away. */
export function withPassword(sign: '>' | '<', file: string, command: string): string {
  return `printf '${sign}%s' "$(cat ${quoted(file)})" | redis-cli -x ${command}`
}

/** A user may have two passwords at a time: the new one comes first, and the old one goes when all applications have the new. */
export function rotatePassword(user: string): readonly string[] {
  const command = `ACL SETUSER ${quoted(user)}`
  return [
    makePasswordFile(),
    withPassword('>', PASSWORD_FILE, command),
    withPassword('<', '<file with the old password>', command),
  ]
}

/** As one word of a shell. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** What is quoted already, or a word with `<something of the reader's>` in it. */
const WORD = /'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"|;&()<>]*(?:<[A-Za-z][^<>|;&]*>[^\s'"|;&()<>]*)+/g

/** Every bare `<placeholder>` within single quotes, with the word that it is part of. */
export function withQuotedPlaceholders(command: string): string {
  return command.replaceAll(WORD, (word) => (/^['"]/.test(word) ? word : `'${word}'`))
}
