import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffOf } from './shown-diff.ts'

function shown(before: string, after: string): string {
  const state = { text: before, mode: 0o644, uid: 0, gid: 0 }
  return diffOf({ path: '/x', before: state, after, mode: 0o644, secret: false, reasons: [] })
}

test('diffOf() shows no password that stands near a change, wherever it stands', () => {
  const lines = [
    'requirepass hunter2',
    '  masterauth "hunter2 with blanks"',
    'user default on >hunter2 ~* +@all',
    'sentinel auth-pass mymaster hunter2',
    'Environment=REDIS_PASSWORD=hunter2',
    'ExecStart=/usr/bin/redis-server --requirepass hunter2 --port 1',
    '      - POSTGRES_PASSWORD=hunter2',
    '      REDIS_PASSWORD: hunter2 with blanks',
    '      REDIS_URL: redis://:hunter2@redis:6379/0',
    '      test: ["CMD", "redis-cli", "-a", "hunter2", "ping"]',
    '      KEY: "-----BEGIN PRIVATE KEY-----',
    '        hunter2inBase64+',
    '        -----END PRIVATE KEY-----"',
  ]
  for (const line of lines) {
    // Taken away, near a change of another line, and the last one without an end.
    const others = lines.filter((one) => one.includes('PRIVATE KEY') || one.includes('Base64'))
    const text = (line.includes('PRIVATE KEY') || line.includes('Base64') ? others : [line]).join('\n')
    for (const diff of [shown(`${text}\na\n`, 'a\n'), shown(text, `${text}\n`), shown(`${text}\na\n`, `${text}\nb\n`)])
      assert.doesNotMatch(diff, /hunter2/, diff)
  }
})

test('diffOf() shows the rest as it is', () => {
  assert.equal(
    shown('bind ::1\nREDIS_PASSWORD_FILE=/run/secrets/x\n', 'bind -::1\nREDIS_PASSWORD_FILE=/run/secrets/x\n'),
    '--- /x\n+++ /x\n@@ -1,2 +1,2 @@\n-bind ::1\n+bind -::1\n REDIS_PASSWORD_FILE=/run/secrets/x',
  )
})
