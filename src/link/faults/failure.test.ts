import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FailurePoint, faultOfFailure, faultOfTimeout } from './failure.ts'

const CONNECT: FailurePoint = { phase: 'connect', tls: false, everUp: false }
const TLS_CONNECT: FailurePoint = { ...CONNECT, tls: true }
const HANDSHAKE: FailurePoint = { ...CONNECT, phase: 'handshake' }
const ESTABLISHED: FailurePoint = { phase: 'established', tls: false, everUp: true }

function coded(code: string, fields: { message?: string; address?: string } = {}): Error {
  return Object.assign(new Error(fields.message ?? `connect ${code}`), { code, ...fields })
}

/** What the operating system and OpenSSL say, at which moment, and the code it must get. */
const CODES: readonly (readonly [word: string, at: FailurePoint, code: string, reaction: string])[] = [
  ['ENOTFOUND', CONNECT, 'name-not-found', 'misconfigured'],
  ['EAI_AGAIN', CONNECT, 'resolver-down', 'down'],
  ['ECONNREFUSED', CONNECT, 'refused', 'down'],
  ['EHOSTUNREACH', CONNECT, 'host-unreachable', 'down'],
  ['ENETUNREACH', CONNECT, 'network-unreachable', 'down'],
  ['EACCES', CONNECT, 'connect-denied', 'down'],
  ['EPERM', CONNECT, 'connect-denied', 'down'],
  ['ENOENT', CONNECT, 'socket-missing', 'down'],
  ['EADDRNOTAVAIL', CONNECT, 'ports-exhausted', 'down'],
  ['EMFILE', CONNECT, 'descriptors-exhausted', 'down'],
  ['ERR_SOCKET_BAD_PORT', CONNECT, 'bad-address', 'misconfigured'],
  ['ETIMEDOUT', CONNECT, 'connect-timeout', 'down'],
  ['ETIMEDOUT', HANDSHAKE, 'handshake-timeout', 'down'],
  ['ETIMEDOUT', ESTABLISHED, 'silent', 'down'],
  ['ECONNRESET', CONNECT, 'closed-at-start', 'down'],
  ['ECONNRESET', TLS_CONNECT, 'tls-closed', 'down'],
  ['ECONNRESET', HANDSHAKE, 'closed-at-start', 'down'],
  ['ECONNRESET', ESTABLISHED, 'reset', 'down'],
  ['EPIPE', HANDSHAKE, 'closed-at-start', 'down'],
  ['EPIPE', ESTABLISHED, 'broken-pipe', 'down'],
  ['SELF_SIGNED_CERT_IN_CHAIN', TLS_CONNECT, 'tls-unknown-ca', 'misconfigured'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', TLS_CONNECT, 'tls-unknown-ca', 'misconfigured'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', TLS_CONNECT, 'tls-unknown-ca', 'misconfigured'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', TLS_CONNECT, 'tls-wrong-host', 'misconfigured'],
  ['CERT_HAS_EXPIRED', TLS_CONNECT, 'tls-expired', 'misconfigured'],
  ['CERT_NOT_YET_VALID', TLS_CONNECT, 'tls-not-yet-valid', 'misconfigured'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', HANDSHAKE, 'tls-client-certificate-missing', 'misconfigured'],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', TLS_CONNECT, 'tls-handshake-refused', 'misconfigured'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', TLS_CONNECT, 'tls-handshake-refused', 'misconfigured'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', TLS_CONNECT, 'tls-client-certificate-refused', 'misconfigured'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', TLS_CONNECT, 'tls-no-common-version', 'misconfigured'],
  ['ERR_SSL_NO_PROTOCOLS_AVAILABLE', TLS_CONNECT, 'tls-no-common-version', 'misconfigured'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', TLS_CONNECT, 'tls-to-plain-port', 'misconfigured'],
  ['ERR_OSSL_PEM_NO_START_LINE', TLS_CONNECT, 'tls-own-material', 'misconfigured'],
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', TLS_CONNECT, 'tls-own-material', 'misconfigured'],
  ['CERT_REVOKED', TLS_CONNECT, 'tls-certificate', 'misconfigured'],
  ['ERR_SSL_SOMETHING_NEW', TLS_CONNECT, 'tls-protocol', 'misconfigured'],
]

for (const [word, at, code, reaction] of CODES) {
  test(`faultOfFailure() takes ${word} in '${at.phase}'${at.tls ? ' with TLS' : ''} for ${code}`, () => {
    const fault = faultOfFailure(coded(word), at)
    assert.deepEqual([fault.code, fault.reaction], [code, reaction])
  })
}

test('faultOfFailure() takes a name that vanished for an outage once the link was up', () => {
  assert.equal(faultOfFailure(coded('ENOTFOUND'), { ...CONNECT, everUp: true }).reaction, 'down')
})

test('faultOfFailure() takes what is not Redis for an outage once the link was up', () => {
  const page = new Error('Unknown RESP type 72 "H"')
  assert.equal(faultOfFailure(page, HANDSHAKE).reaction, 'misconfigured')
  assert.equal(faultOfFailure(page, ESTABLISHED).reaction, 'down')
  assert.equal(faultOfFailure(page, ESTABLISHED).code, 'not-redis')
})

test('faultOfFailure() does not excuse a certificate because the link was up before', () => {
  assert.equal(faultOfFailure(coded('CERT_HAS_EXPIRED'), { ...TLS_CONNECT, everUp: true }).reaction, 'misconfigured')
})

test('faultOfFailure() knows the parser errors of all three client libraries', () => {
  const texts = [
    'Unknown RESP type 72 "H"',
    'Unknown RESP type 72 "H". Please report this.',
    'Protocol error, got "H" as reply type byte. Please report this.',
  ]
  for (const text of texts) assert.equal(faultOfFailure(new Error(text), HANDSHAKE).code, 'not-redis', text)
})

test('faultOfFailure() knows a TLS alert that a plain connection received', () => {
  const texts = [
    'Unknown RESP type 21 "\u0015"',
    'Protocol error, got "\\u0015" as reply type byte. Please report this.',
  ]
  for (const text of texts) assert.equal(faultOfFailure(new Error(text), HANDSHAKE).code, 'plain-to-tls-port', text)
})

test('faultOfFailure() looks into an AggregateError without a message', () => {
  const both = [
    coded('ECONNREFUSED', { message: 'connect ECONNREFUSED ::1:6379' }),
    coded('ECONNREFUSED', { message: 'connect ECONNREFUSED 127.0.0.1:6379' }),
  ]
  assert.equal(faultOfFailure(new AggregateError(both, ''), CONNECT).code, 'refused')
})

test('faultOfFailure() tells of two addresses the failure that says more', () => {
  const pair = (first: string, second: string): Error =>
    Object.assign(new AggregateError([coded(first), coded(second)], ''), { code: first })
  assert.equal(faultOfFailure(pair('ENETUNREACH', 'ECONNREFUSED'), CONNECT).code, 'refused')
  assert.equal(faultOfFailure(pair('ENETUNREACH', 'ETIMEDOUT'), CONNECT).code, 'connect-timeout')
})

test('faultOfFailure() looks through the causes', () => {
  const wrapped = new Error('the lane ended', { cause: new Error('again', { cause: coded('ECONNREFUSED') }) })
  assert.equal(faultOfFailure(wrapped, CONNECT).code, 'refused')
})

test('faultOfFailure() believes the words of the server before those of the socket', () => {
  const said = new Error('Socket closed unexpectedly', { cause: new Error('ERR max number of clients reached') })
  assert.equal(faultOfFailure(said, HANDSHAKE).code, 'max-clients')
})

test('faultOfFailure() knows the errors of node-redis by their class, for all are named Error', () => {
  class ConnectionTimeoutError extends Error {}
  class SocketClosedUnexpectedlyError extends Error {}
  assert.equal(faultOfFailure(new ConnectionTimeoutError('Connection timeout'), CONNECT).code, 'connect-timeout')
  assert.equal(faultOfFailure(new SocketClosedUnexpectedlyError(''), ESTABLISHED).code, 'connection-closed')
})

test('faultOfFailure() tells the socket file from the port', () => {
  const address = '/run/redis/redis.sock'
  assert.equal(faultOfFailure(coded('ECONNREFUSED', { address }), CONNECT).code, 'socket-refused')
  assert.equal(faultOfFailure(coded('EACCES', { address }), CONNECT).code, 'socket-forbidden')
})

test('faultOfFailure() takes a close without a cause for what the moment says', () => {
  assert.equal(faultOfFailure(undefined, CONNECT).code, 'closed-at-start')
  assert.equal(faultOfFailure(undefined, { ...TLS_CONNECT, phase: 'tls' }).code, 'tls-closed')
  assert.equal(faultOfFailure(undefined, HANDSHAKE).code, 'closed-at-start')
  assert.equal(faultOfFailure(undefined, ESTABLISHED).code, 'connection-closed')
  assert.equal(faultOfFailure(new Error('never seen'), ESTABLISHED).code, 'connection-closed')
})

test('faultOfFailure() tells a silent port from a silent TLS', () => {
  const message = (text: string): Error => coded('ETIMEDOUT', { message: text })
  assert.equal(faultOfFailure(message('connect ETIMEDOUT 10.0.0.7:6379'), TLS_CONNECT).code, 'connect-timeout')
  assert.equal(faultOfFailure(message('TLS handshake ETIMEDOUT'), TLS_CONNECT).code, 'tls-timeout')
})

test('faultOfFailure() takes a TimeoutError for a budget of the link', () => {
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  for (const phase of ['resolve', 'connect', 'tls', 'handshake', 'established'] as const) {
    const at: FailurePoint = { phase, tls: phase === 'tls', everUp: false }
    assert.equal(faultOfFailure(late, at).code, faultOfTimeout(at).code, phase)
  }
})

test('faultOfTimeout() names the part that took too long', () => {
  const code = (phase: FailurePoint['phase'], tls = false): string => faultOfTimeout({ phase, tls, everUp: false }).code
  assert.equal(code('resolve'), 'resolver-down')
  assert.equal(code('connect'), 'connect-timeout')
  assert.equal(code('connect', true), 'tls-timeout')
  assert.equal(code('tls', true), 'tls-timeout')
  assert.equal(code('handshake', true), 'handshake-timeout')
  assert.equal(code('established'), 'silent')
})

test('faultOfFailure() says of nothing that came before the first answer that it was executed', () => {
  for (const [word, at] of CODES)
    if (at.phase !== 'established') assert.equal(faultOfFailure(coded(word), at).executed, 'no', word)
})
