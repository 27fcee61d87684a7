import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetOfUrl } from '../targets.ts'
import { withAddress } from './pasting.ts'
import type { DoctorFinding } from './report.ts'

function pasted(url: string, command: string): string | undefined {
  const target = targetOfUrl(url, 'argument 1')
  assert.ok(target.kind === 'redis')
  const about = { check: 'a.b', layer: 'host', title: '', why: '', state: 'warn', summary: '', evidence: [] } as const
  const finding: DoctorFinding = { ...about, fix: { text: '', commands: [command] }, undo: undefined }
  return withAddress(finding, target.endpoint).fix?.commands?.[0]
}

test('withAddress() says which server a command is about, and never its password', () => {
  const cases = [
    ['redis://127.0.0.1:6379', 'redis-cli INFO', 'redis-cli INFO'],
    ['redis://10.0.0.5:6380/2', 'redis-cli BGSAVE', 'redis-cli -h 10.0.0.5 -p 6380 BGSAVE'],
    ['rediss://app:hunter2@cache:6379', 'redis-cli INFO', 'redis-cli -h cache -p 6379 --tls --user app --askpass INFO'],
    ['redis://:hunter2@127.0.0.1', 'redis-cli --askpass CONFIG REWRITE', 'redis-cli --askpass CONFIG REWRITE'],
    ['unix:///run/redis.sock', 'redis-cli INFO', 'redis-cli -s /run/redis.sock INFO'],
    ['redis://10.0.0.5', 'redis-cli -h <replica> INFO', "redis-cli -h '<replica>' INFO"],
    [
      'redis://10.0.0.5',
      'REDISCLI_AUTH="$(cat f)" redis-cli INFO',
      'REDISCLI_AUTH="$(cat f)" redis-cli -h 10.0.0.5 -p 6379 INFO',
    ],
    [
      'redis://:hunter2@10.0.0.5',
      'redis-cli -x CONFIG SET requirepass < f',
      `REDISCLI_AUTH="$(cat '<file with the password of now>')" redis-cli -h 10.0.0.5 -p 6379 -x CONFIG SET requirepass < f`,
    ],
    [
      'redis://10.0.0.5',
      'printf \'>%s\' "$(cat f)" | redis-cli -x ACL SETUSER a',
      'printf \'>%s\' "$(cat f)" | redis-cli -h 10.0.0.5 -p 6379 -x ACL SETUSER a',
    ],
    ['redis://10.0.0.5', 'df -h /data', 'df -h /data'],
    ['redis+sentinel://s1,s2/mymaster', 'redis-cli INFO', 'redis-cli INFO'],
  ] as const
  for (const [url, command, expected] of cases) assert.equal(pasted(url, command), expected, url)
})
