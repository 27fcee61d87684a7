import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quoted, withQuotedPlaceholders } from './shell.ts'

test('withQuotedPlaceholders() leaves no < that a shell would take for a redirection', () => {
  const cases = [
    ['redis-cli CONFIG SET maxmemory <bytes>', "redis-cli CONFIG SET maxmemory '<bytes>'"],
    ['redis-cli HGET bull:<queue>:<id> failedReason', "redis-cli HGET 'bull:<queue>:<id>' failedReason"],
    ['redis-cli -h <the wrong one> --rdb <file>', "redis-cli -h '<the wrong one>' --rdb '<file>'"],
    ["redis-cli ACL SETUSER <app> on '~<prefix>:*'", "redis-cli ACL SETUSER '<app>' on '~<prefix>:*'"],
    ['redis-cli CONFIG SET bind "<the whole list>"', 'redis-cli CONFIG SET bind "<the whole list>"'],
    ['redis-cli -x CONFIG SET requirepass < file', 'redis-cli -x CONFIG SET requirepass < file'],
    ['(umask 077; tr -d x > file)', '(umask 077; tr -d x > file)'],
    ['redis-cli --cluster fix <host>:<port>', "redis-cli --cluster fix '<host>:<port>'"],
  ] as const
  for (const [command, expected] of cases) assert.equal(withQuotedPlaceholders(command), expected)
})

test('quoted() makes one word of whatever it is', () => {
  assert.deepEqual(['app', '10.0.0.1:6379', 'a b', "it's"].map(quoted), ['app', '10.0.0.1:6379', "'a b'", "'it'\\''s'"])
})
