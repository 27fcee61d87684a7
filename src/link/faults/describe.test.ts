import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { describeError, redacted } from './describe.ts'

test('describeError() gives the message, and the code where the message lacks it', () => {
  assert.equal(describeError(new Error('read ECONNRESET')), 'read ECONNRESET')
  const error = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  assert.equal(describeError(error), 'self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)')
})

test('describeError() flattens an AggregateError that has no message of its own', () => {
  const members = ['::1:6379', '127.0.0.1:6379'].map((address) => new Error(`connect ECONNREFUSED ${address}`))
  const error = Object.assign(new AggregateError(members, ''), { code: 'ECONNREFUSED' })
  assert.equal(describeError(error), 'connect ECONNREFUSED ::1:6379; connect ECONNREFUSED 127.0.0.1:6379')
})

test('describeError() follows the causes and says nothing twice', () => {
  const root = new Error('read ECONNRESET')
  const error = new Error('the lane ended', { cause: new Error('read ECONNRESET', { cause: root }) })
  assert.equal(describeError(error), 'the lane ended; read ECONNRESET')
})

test('describeError() falls back on the class and the code', () => {
  class TimeoutError extends Error {}
  assert.equal(describeError(new TimeoutError()), 'TimeoutError')
  assert.equal(describeError(Object.assign(new Error(''), { code: 'EPIPE' })), 'EPIPE')
  assert.equal(describeError(new AggregateError([], '')), 'AggregateError')
})

test('describeError() is never empty', () => {
  for (const nothing of [undefined, null, '', {}, [], new Error(''), Symbol('x'), () => 1])
    assert.notEqual(describeError(nothing), '')
})

test('describeError() takes plain values as they are', () => {
  assert.equal(describeError('gone'), 'gone')
  assert.equal(describeError(42), '42')
})

test('describeError() keeps the reason of OpenSSL and drops its thread, functions and source lines', () => {
  const message =
    '40BDA13C0D7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 116\n'
  const code = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
  assert.equal(
    describeError(Object.assign(new Error(message), { code })),
    'SSL routines: tlsv13 alert certificate required (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
  )
})

test('describeError() survives cycles, getters that throw and endless chains', () => {
  const cyclic = new Error('around')
  cyclic.cause = cyclic
  assert.equal(describeError(cyclic), 'around')

  const hostile = {
    get message(): string {
      throw new Error('no')
    },
    get errors(): unknown {
      throw new TypeError('no')
    },
  }
  assert.ok(describeError(hostile).length > 0)

  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  assert.ok(describeError(revoked.proxy).length > 0)

  let chain = new Error('level 0')
  for (let depth = 1; depth < 1000; depth++) chain = new Error(`level ${depth}`, { cause: chain })
  assert.ok(describeError(chain).length <= 600)
})

test('describeError() stays short however much there is to say', () => {
  const long = 'x'.repeat(1_000_000)
  const members = Array.from({ length: 10_000 }, (_, index) => new Error(`${index} of many`))
  const huge = new AggregateError([new Error(long), ...members], long)
  assert.ok(describeError(huge).length <= 600)
})

test('redacted() takes passwords out of URLs', () => {
  assert.equal(redacted('redis://app:hunter2@host:6379/0'), 'redis://app:***@host:6379/0')
  assert.equal(redacted('rediss://:hunter2@host'), 'rediss://:***@host')
  assert.equal(redacted('redis://app:hun@ter2@host'), 'redis://app:***@host')
  assert.equal(redacted('redis://host:6379 refused'), 'redis://host:6379 refused')
  assert.equal(redacted('see postgres://u:p@db/x and redis://u:p@r'), 'see postgres://u:***@db/x and redis://u:***@r')
})

test('redacted() lets nothing through of a URL that is too long to be read to its end', () => {
  for (let padding = 2300; padding < 2420; padding += 1) {
    const text = `x${' '.repeat(padding)}redis://app:hunter2hunter2hunter2@host:6379`
    assert.ok(!redacted(text).includes('hunter2'), `${padding}: ${redacted(text)}`)
  }
})

test('redacted() takes out what follows AUTH, as typed, quoted and on the wire', () => {
  const texts = [
    'AUTH hunter2',
    'AUTH default hunter2',
    "'AUTH' 'default' 'hunter2'",
    '*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$7\r\nhunter2\r\n',
    'HELLO 3 AUTH default hunter2 SETNAME x',
    'CONFIG SET requirepass hunter2',
    "'config' 'set' 'masterauth' 'hunter2'",
    'requirepass hunter2',
  ]
  for (const text of texts) assert.ok(!redacted(text).includes('hunter2'), redacted(text))
})

test('redacted() takes out the arguments that an old server repeats', () => {
  const text = 'ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `hunter2`, '
  assert.equal(redacted(text), 'ERR unknown command `HELLO`, with args beginning with: ***')
})

test('redacted() takes out tokens and named secrets', () => {
  const texts = [
    'Authorization: Bearer hunter2',
    'REDIS_PASSWORD=hunter2',
    '{"password":"hunter2 x"}',
    "passphrase: 'hunter2 x'",
    '?token=hunter2&x=1',
    'api_key = hunter2',
  ]
  for (const text of texts) assert.ok(!redacted(text).includes('hunter2'), redacted(text))
})

test('redacted() leaves the prose of servers alone', () => {
  const texts = [
    'ERR AUTH <password> called without any password configured for the default user.',
    'ERR Client sent AUTH, but no password is set',
    'otherwise the HELLO <proto> AUTH <user> <pass> option can be used',
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair or user is disabled.',
    'WRONGPASS invalid or missing auth token',
    'connect ECONNREFUSED ::1:6379',
    'it is `requirepass` or an ACL user on the server',
  ]
  for (const text of texts) assert.equal(redacted(text), text)
})

test('redacted() makes it one line without control characters', () => {
  assert.equal(redacted(' a\r\n\tb\u0000c\u2028d '), 'a b c d')
})

/** Anything that can be thrown, nested and odd. */
const thrown = fc.letrec<{ any: unknown; error: unknown }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, fc.anything({ withNullPrototype: true, withBigInt: true }), tie('error')),
  error: fc
    .record({
      message: fc.string({ unit: 'binary' }),
      code: fc.anything(),
      cause: tie('any'),
      errors: fc.array(tie('any')),
    })
    .map(({ message, ...fields }) => Object.assign(new Error(message), fields)),
})).error

test('describeError() answers one short line for whatever is thrown', () => {
  fc.assert(
    fc.property(thrown, (error) => {
      const text = describeError(error)
      assert.ok(text.length > 0 && text.length <= 600)
      assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029]/u)
    }),
    { numRuns: 200 },
  )
})

test('describeError() lets no password of a URL through, wherever it stands', () => {
  const noise = fc.string({ maxLength: 30 })
  const password = fc.stringMatching(/^[A-Za-z0-9!$%^*+=~]{8,20}$/)
  fc.assert(
    fc.property(noise, password, noise, (before, secret, after) => {
      const inner = new Error(`${before} redis://app:${secret}@host:6379/0 ${after}`)
      for (const error of [inner, new Error('outer', { cause: inner }), new AggregateError([inner], before)])
        assert.ok(!describeError(error).includes(`:${secret}@`), describeError(error))
    }),
    { numRuns: 200 },
  )
})

test('redacted() reads an endless word in no time: nobody else is served meanwhile', () => {
  const before = process.cpuUsage()
  for (let text = 0; text < 200; text++) redacted('a'.repeat(2400))
  // 3 s where every letter could begin a URL that goes on to the end of the word.
  assert.ok(process.cpuUsage(before).user < 1_000_000)
})
