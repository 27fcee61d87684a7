/** Faults of login and permission: who may connect, and which database and protocol the connection gets. */
import type { FaultEntries } from './fault.ts'

export const AUTHENTICATION = {
  wrongPassword: {
    code: 'wrong-password',
    example: 'WRONGPASS invalid username-password pair or user is disabled.',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'Redis refuses the user name and password.',
    nextStep:
      'Compare the secret of this process with the server: `redis-cli -h HOST -p PORT --user USER --askpass ping`, and `ACL LIST` as administrator. After a rotation this process needs the new secret; tokens of Entra ID or IAM run out by themselves and must be renewed in time.',
    replies: [/^WRONGPASS\b/, /^ERR invalid password\b/, /^ERR invalid username-password pair/i],
  },
  passwordMissing: {
    code: 'password-missing',
    example: 'NOAUTH Authentication required.',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'Redis asks for a password and got none.',
    nextStep:
      'Put the password into the Redis URL (`redis://:password@host:6379`) or the `password` option; it is `requirepass` or an ACL user on the server.',
    replies: [/^NOAUTH\b/],
  },
  passwordUnwanted: {
    code: 'password-not-configured',
    example: 'ERR AUTH <password> called without any password configured for the default user.',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'A password was given, but the server has none configured.',
    nextStep:
      'Either take the password out of the Redis URL, or set one on the server: `redis-cli -x CONFIG SET requirepass < FILE` reads it from a file without a line feed, `redis-cli CONFIG REWRITE` keeps it. A server that lost its configuration file looks like this.',
    replies: [
      /^ERR AUTH <password> called without any password configured/,
      /^ERR Client sent AUTH, but no password is set/,
    ],
  },
  protectedMode: {
    code: 'protected-mode',
    example:
      'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user.',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'Redis is in protected mode: without a password it serves its own machine only.',
    nextStep:
      'Set a password (`requirepass` in redis.conf or an ACL user) and give it here. Do not switch protected mode off on a reachable address.',
    replies: [/^DENIED .*protected mode/i],
  },
  noPermission: {
    code: 'no-permission',
    example: "NOPERM this user has no permissions to run the 'del' command",
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'The Redis user may not run this command or touch this key or channel.',
    nextStep:
      'See what was refused with `redis-cli ACL LOG`, then allow it: `ACL SETUSER USER +COMMAND ~KEY_PATTERN &CHANNEL_PATTERN`.',
    replies: [/^NOPERM\b/],
  },
  wrongDatabase: {
    code: 'wrong-database',
    example: 'ERR DB index is out of range',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'The server does not have the database number that was asked for.',
    nextStep:
      'Use a number below `redis-cli CONFIG GET databases`, in the Redis URL (`redis://host:6379/0`) or the `database` option. Cluster and most hosted offers have only 0.',
    replies: [/^ERR DB index is out of range/, /^ERR invalid DB index/, /^ERR SELECT is not allowed in cluster mode/],
  },
  noResp3: {
    code: 'resp3-unsupported',
    example: 'NOPROTO unsupported protocol version',
    reaction: 'resp2',
    executed: 'no',
    retryable: true,
    meaning: 'The server does not speak RESP3; the link goes on with RESP2.',
    nextStep: 'Nothing to do. Without RESP3 the cache cannot be told of changes by the server; Redis 6 or newer can.',
    replies: [/^NOPROTO\b/, /^ERR unknown command ['`"]?HELLO\b/i],
  },
} as const satisfies FaultEntries
