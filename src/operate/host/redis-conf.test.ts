import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpHost } from '../../../test/support/made-up-host.ts'
import {
  bindAddresses,
  directive,
  memoryBytes,
  parseRedisConf,
  readRedisConf,
  setting,
  splitWords,
} from './redis-conf.ts'

test('splitWords() splits as Redis does', () => {
  const cases: [string, readonly string[] | undefined][] = [
    ['bind 127.0.0.1  -::1', ['bind', '127.0.0.1', '-::1']],
    ['requirepass "a b\\x41\\n\\"c"', ['requirepass', 'a bA\n"c']],
    ["requirepass 'it\\'s'", ['requirepass', "it's"]],
    ['save ""', ['save', '']],
    ['requirepass "open', undefined],
    ['requirepass "a"b', undefined],
  ]
  for (const [line, words] of cases) assert.deepEqual(splitWords(line), words, line)
})

test('parseRedisConf() leaves out comments, and tells what it cannot read', () => {
  const { directives, problems } = parseRedisConf('# a\n\n  PORT 7000\r\nrequirepass "x\n', '/r.conf')
  assert.deepEqual(directives, [{ name: 'port', values: ['7000'], file: '/r.conf', line: 3 }])
  assert.deepEqual(problems, ['/r.conf:4: unbalanced quotes'])
})

test('readRedisConf() follows include in its place, and no circle; the command line comes last', async () => {
  const host = madeUpHost({
    files: {
      '/etc/redis/redis.conf': 'port 1\ninclude conf.d/*.conf\ninclude /gone.conf\nbind 127.0.0.1',
      '/etc/redis/conf.d/b.conf': 'port 3\ninclude /etc/redis/redis.conf',
      '/etc/redis/conf.d/a.conf': 'port 2\nbind 0.0.0.0',
      '/etc/redis/conf.d/a.txt': 'port 99',
    },
  })
  const conf = await readRedisConf(host, '/etc/redis/redis.conf', ['redis-server', 'x.conf', '--maxclients', '7'])
  assert.ok(conf.kind === 'known')
  assert.equal(setting(conf.value, 'port'), '3')
  assert.equal(directive(conf.value, 'bind')?.line, 4)
  assert.equal(setting(conf.value, 'maxclients'), '7')
  assert.deepEqual(conf.value.problems, ['/etc/redis/redis.conf:3 includes /gone.conf: /gone.conf is not there'])
})

test('readRedisConf() says why there is none', async () => {
  const host = madeUpHost({ files: { '/secret.conf': null } })
  assert.equal((await readRedisConf(host, '/secret.conf')).kind, 'not-permitted')
  assert.equal((await readRedisConf(host, '/none.conf')).kind, 'not-available')
})

test('bindAddresses() knows optional addresses and wildcards', () => {
  const shown = bindAddresses(['127.0.0.1 -::1', '*', '-::*', '0.0.0.0', 'fe80::1%eth0', 'redis.local']).map(
    ({ address, optional, wildcard, family }) =>
      `${address} ${optional ? 'optional ' : ''}${wildcard ? 'every ' : ''}${family ?? 'name'}`,
  )
  assert.deepEqual(shown, [
    '127.0.0.1 4',
    '::1 optional 6',
    '* every 4',
    '::* optional every 6',
    '0.0.0.0 every 4',
    'fe80::1%eth0 6',
    'redis.local name',
  ])
})

test('memoryBytes() counts k by 1000 and kb by 1024', () => {
  assert.deepEqual(['0', '10k', '10kb', '1gb', '1.5gb', '', undefined].map(memoryBytes), [
    0,
    10_000,
    10_240,
    1024 ** 3,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ])
})
