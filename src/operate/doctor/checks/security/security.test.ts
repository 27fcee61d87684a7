import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { assertTable, type Given } from '../../../../../test/support/doctor-table.ts'
import { userOf } from '../../evidence/acl.ts'
import { certificate } from './certificate.ts'
import { dangerousCommands } from './dangerous-commands.ts'
import { debugCommands } from './debug-commands.ts'
import { deniedLogins } from './denied-logins.ts'
import { HOLES } from './holes.ts'
import { knownHoles } from './known-holes.ts'
import { password } from './password.ts'
import { plainText } from './plain-text.ts'
import { protectedModeDenies } from './protected-mode-denies.ts'
import { protectedModeOff } from './protected-mode-off.ts'
import { publicAddress } from './public-address.ts'
import { publishedPassword } from './published-password.ts'

const DAY_MS = 86_400_000
const OPEN = { bind: '127.0.0.1 172.30.0.1', 'protected-mode': 'yes', requirepass: '', port: 6379 }
const REDIS_7 = { redis_version: '7.0.15' }
const REDIS_6 = { redis_version: '6.2.14' }

test('security.password: who can come in decides how bad it is', () => {
  assertTable(password, [
    [{ info: REDIS_7, config: { ...OPEN, requirepass: 'secret-1' } }, 'ok'],
    [{ info: REDIS_7, config: { ...OPEN, bind: '127.0.0.1 -::1' } }, 'info', /only this machine/],
    [{ info: REDIS_7, config: OPEN }, 'info', /protected mode turns away/],
    [{ info: REDIS_6, config: OPEN }, 'fail'],
    [{ info: REDIS_7, config: { ...OPEN, 'protected-mode': 'no' } }, 'fail'],
    [{ info: REDIS_7, config: { ...OPEN, bind: '* -::*', 'protected-mode': 'no' } }, 'fail'],
    [{ info: REDIS_7, config: { ...OPEN, 'protected-mode': 'no', port: 0, 'tls-port': 0 } }, 'info'],
    [
      { info: REDIS_7, config: { ...OPEN, 'protected-mode': 'no' }, users: [userOf('user default off nopass +@all')] },
      'ok',
    ],
  ])
})

test('security.protected-mode-denies: an explicit address is meant for somebody', () => {
  assertTable(protectedModeDenies, [
    [{ info: REDIS_7, config: OPEN }, 'fail', /by 172\.30\.0\.1, are answered with DENIED/],
    [{ info: REDIS_6, config: OPEN }, 'ok'],
    [{ info: REDIS_7, config: { ...OPEN, requirepass: 'secret-1' } }, 'ok'],
    [{ info: REDIS_7, config: { ...OPEN, 'protected-mode': 'no' } }, 'ok'],
    [{ info: REDIS_7, config: { ...OPEN, bind: '* -::*' } }, 'info'],
    [{ info: REDIS_7, config: { ...OPEN, bind: '127.0.0.1 ::1' } }, 'not-applicable'],
  ])
})

test('security.protected-mode-off', () => {
  assertTable(protectedModeOff, [
    [{ config: OPEN }, 'ok'],
    [{ config: { ...OPEN, 'protected-mode': 'no' } }, 'fail'],
    [{ config: { ...OPEN, 'protected-mode': 'no', bind: '127.0.0.1' } }, 'info'],
    [{ config: { ...OPEN, 'protected-mode': 'no', requirepass: 'secret-1' } }, 'ok'],
  ])
})

test('security.published-password compares hashes of users, and the plain setting', () => {
  const hash = createHash('sha256').update('foobared').digest('hex')
  const named = (flag: string): Given => ({ config: {}, users: [userOf(`user app ${flag} #${hash} ~* +@all`)] })
  assertTable(publishedPassword, [
    [{ config: { requirepass: 'difyai123456' } }, 'fail', /password of default/],
    [{ config: { requirepass: 'a long one that nobody has printed' } }, 'ok'],
    [{ config: { requirepass: '' } }, 'ok'],
    [named('on'), 'fail', /password of app/],
    [named('off'), 'ok'],
  ])
})

test('security.public-address', () => {
  assertTable(publicAddress, [
    [{ config: { bind: '127.0.0.1 10.0.0.5 fd00::1 100.64.0.9' } }, 'ok'],
    [{ config: { bind: '-203.0.113.9' } }, 'fail', /203\.0\.113\.9/],
    [{ config: { bind: '127.0.0.1 2001:db8::1' } }, 'fail'],
    [{ config: { bind: '0.0.0.0' } }, 'info'],
    [{ config: { bind: '' } }, 'info'],
  ])
})

test('security.plain-text looks at the addresses that were reached', () => {
  const reached = (name: 'tcp' | 'name', detail: string): NonNullable<Given['diagnosis']>['layers'][number] => ({
    name,
    state: 'ok',
    detail,
    ms: 1,
    facts: {},
    finding: undefined,
  })
  const diagnosis = (...layers: ReturnType<typeof reached>[]): Given => ({
    diagnosis: { kind: 'redis', place: 'here', source: 'test', served: true, ms: 1, layers },
  })
  assertTable(plainText, [
    [diagnosis(reached('tcp', '10.0.0.5:6379')), 'ok'],
    [diagnosis(reached('name', '203.0.113.9:6379, [2001:db8::1]:6379'), reached('tcp', '203.0.113.9:6379')), 'warn'],
    [diagnosis(reached('tcp', '203.0.113.9:6379'), { ...reached('tcp', 'encrypted'), name: 'tls' }), 'ok'],
    [diagnosis(), 'not-applicable'],
  ])
})

test('security.certificate counts the days', () => {
  const lasting = (days: number): Given => ({
    now: 0,
    certificate: { subject: 'redis', issuer: 'ca', expiresAt: days * DAY_MS },
  })
  assertTable(certificate, [
    [lasting(30), 'ok'],
    [lasting(29), 'warn', /expires in 29 days/],
    [lasting(6.9), 'fail'],
    [lasting(-1), 'fail', /has expired/],
  ])
})

test('security.dangerous-commands reads rules in their order', () => {
  const users = (...lines: string[]): Given => ({ users: lines.map(userOf) })
  assertTable(dangerousCommands, [
    [users('user default on nopass ~* +@all'), 'info'],
    [users('user default off +@all', 'user app on ~* +@all'), 'warn', /app may run every command/],
    [users('user app on ~* +@all -@dangerous -@admin'), 'ok'],
    [users('user app on ~* -@dangerous +@all'), 'warn'],
    [users('user app on ~* -@all +get'), 'ok'],
  ])
})

test('security.debug-commands', () => {
  const off = { 'enable-debug-command': 'no', 'enable-module-command': 'local', 'enable-protected-configs': 'no' }
  assertTable(debugCommands, [
    [{ config: off }, 'ok'],
    [{ config: { ...off, 'enable-debug-command': 'yes' } }, 'warn'],
    [{ config: {} }, 'not-applicable'],
  ])
})

test('security.known-holes says possibly, for packages are mended without a new number', () => {
  assertTable(knownHoles, [
    [{ info: { redis_version: '7.0.15' } }, 'warn', /Possibly/],
    [{ info: { redis_version: '7.0.15' } }, 'warn', /7\.0 gets no more mends/],
    [{ info: { redis_version: '7.4.5' } }, 'warn', /7\.4\.10 is the first/],
    [{ info: { redis_version: '7.4.5' } }, 'warn', /^CVE-2025-49844, .*EVAL/m],
    [{ info: { redis_version: '7.4.10' } }, 'ok'],
    [{ info: { redis_version: '8.2.8' } }, 'warn', /^Possibly open to CVE-2026-81934 \(.*\): 8\.2\.9 is the first/],
    [{ info: { redis_version: '8.2.10' } }, 'ok'],
    [{ info: { redis_version: '9.0.0' } }, 'ok'],
    [{ info: { redis_version: '6.2.23' } }, 'ok'],
    [{ info: { redis_version: '7.2.4', valkey_version: '8.1.8' } }, 'warn', /CVE-2026-56684.*: 8\.1\.9 is the first/],
    [{ info: { redis_version: '7.2.4', valkey_version: '8.1.9' } }, 'ok'],
    [{ info: {} }, 'not-applicable'],
  ])
})

test('security.known-holes believes the changelog of the package that the server runs from, and no other', () => {
  const info = { redis_version: '7.0.15' }
  const redisHere = { by: 'process', detail: '' } as const
  const all = [...new Set(HOLES.flatMap(({ ids }) => ids))]
  const redisPackage = { name: 'redis-server', version: '5:7.0.15-1~deb12u10', upstream: '7.0.15', mended: all }
  const last = { ...redisPackage, mended: all.filter((id) => id !== 'CVE-2026-81934') }
  assertTable(knownHoles, [
    [
      { info, redisHere, redisPackage },
      'ok',
      /package redis-server 5:7\.0\.15-1~deb12u10\nits changelog names (\d+) of \1 /,
    ],
    [{ info, redisHere, redisPackage: last }, 'warn', /^Possibly open to CVE-2026-81934 \([^)]*\): /],
    [{ info, redisPackage }, 'warn'],
    [{ info, redisHere: { by: 'address', detail: '' }, redisPackage }, 'warn'],
    [{ info: { redis_version: '7.0.11' }, redisHere, redisPackage }, 'warn'],
  ])
})

test('every hole has a number, lines that are its own, and a first mended version of that line', () => {
  for (const { ids, redis = {}, valkey = {} } of HOLES) {
    assert.ok(ids.length > 0 && Object.keys({ ...redis, ...valkey }).length > 0)
    for (const [line, version] of [...Object.entries(redis), ...Object.entries(valkey)])
      assert.match(version, new RegExp(`^${line.replace('.', '\\.')}\\.\\d+$`))
  }
})

test('security.denied-logins tells what happens now from what happened once', () => {
  const denied = { reason: 'auth', user: 'app', count: 3, secondsAgo: 9000 }
  assertTable(deniedLogins, [
    [{ after: {} }, 'ok'],
    [{ after: { acl_access_denied_auth: 3 }, denials: [denied] }, 'info'],
    [{ after: { acl_access_denied_auth: 3 }, before: { acl_access_denied_auth: 2 } }, 'warn', /right now/],
    [{ after: {}, denials: [{ ...denied, secondsAgo: 60 }] }, 'warn', /3 × auth, user app, last 60 s ago/],
  ])
})
