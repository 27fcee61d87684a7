import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS } from '../faults.ts'
import { executedByReply, faultOfReply, knownFaultOfReply } from './reply.ts'

const SHA = '8e751297650ef5d884cfa1829c648fb0d3592ac1'
const IN_SCRIPT = `script: ${SHA}, on @user_script:1.`

/** Exact texts of Redis 6.2 to 8 and its relatives, the code and the reaction that each must get. */
const TEXTS: readonly (readonly [text: string, code: string, reaction: string])[] = [
  // Server state
  ['LOADING Redis is loading the dataset in memory', 'loading', 'not-ready'],
  ['LOADING Valkey is loading the dataset in memory', 'loading', 'not-ready'],
  ['LOADING Dragonfly is loading the dataset in memory', 'loading', 'not-ready'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'master-down', 'not-ready'],
  [
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'busy-script',
    'not-ready',
  ],
  [
    'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
    'busy-script',
    'not-ready',
  ],
  ['BUSY Redis is busy running a module command.', 'busy-script', 'not-ready'],
  [
    'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
    'unkillable-script',
    'not-ready',
  ],
  ['ERR max number of clients reached', 'max-clients', 'not-ready'],
  ['ERR max number of clients + cluster connections reached', 'max-clients', 'not-ready'],
  ['ERR max concurrent connections exceeded', 'max-clients', 'not-ready'],
  ["READONLY You can't write against a read only replica.", 'read-only-replica', 'reconnect'],
  ["READONLY You can't write against a read only slave.", 'read-only-replica', 'reconnect'],
  ['READONLY Can not run script with write flag on readonly replica', 'read-only-replica', 'reconnect'],
  [`READONLY You can't write against a read only replica. ${IN_SCRIPT}`, 'read-only-replica', 'reconnect'],
  ['REDIRECT 10.0.0.7:6379', 'read-only-replica', 'reconnect'],
  [
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    'unblocked',
    'reconnect',
  ],
  ['IDONTKNOW No such master with that name', 'sentinel-undecided', 'not-ready'],
  ['ERR No such master with that name', 'sentinel-unknown-master', 'misconfigured'],
  ['NOGOODSLAVE No suitable replica to promote', 'sentinel-no-good-replica', 'not-ready'],
  ['INPROG Failover already in progress', 'sentinel-no-good-replica', 'not-ready'],
  [
    'NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover',
    'sentinel-undecided',
    'not-ready',
  ],
  // Persistence
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
    'snapshot-failing',
    'write-blocked',
  ],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'aof-failing', 'write-blocked'],
  [
    "MISCONF Redis is configured to persist data to AOF, but it's currently unable to persist to disk.",
    'aof-failing',
    'write-blocked',
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'out-of-memory', 'write-blocked'],
  [
    'OOM allow-oom flag is not set on the script, can not run it when used memory > "maxmemory"',
    'out-of-memory',
    'write-blocked',
  ],
  [`OOM command not allowed when used memory > 'maxmemory'. ${IN_SCRIPT}`, 'out-of-memory', 'write-blocked'],
  [
    `ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'. `,
    'out-of-memory',
    'write-blocked',
  ],
  [
    "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    'out-of-memory',
    'write-blocked',
  ],
  ['NOREPLICAS Not enough good replicas to write.', 'too-few-replicas', 'write-blocked'],
  // Cluster
  ['CLUSTERDOWN Hash slot not served', 'cluster-down', 'not-ready'],
  ['CLUSTERDOWN The cluster is down', 'cluster-down', 'not-ready'],
  ['CLUSTERDOWN The cluster is down and only accepts read commands', 'cluster-down', 'not-ready'],
  ['MOVED 12182 127.0.0.1:7002', 'moved', 'none'],
  ['ASK 12182 127.0.0.1:7002', 'ask', 'none'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'try-again', 'none'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'cross-slot', 'none'],
  // Authentication
  ['NOAUTH Authentication required.', 'password-missing', 'misconfigured'],
  [
    'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    'password-missing',
    'misconfigured',
  ],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'wrong-password', 'misconfigured'],
  ['WRONGPASS invalid or missing auth token', 'wrong-password', 'misconfigured'],
  ['ERR invalid password', 'wrong-password', 'misconfigured'],
  [
    'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    'password-not-configured',
    'misconfigured',
  ],
  ['ERR Client sent AUTH, but no password is set', 'password-not-configured', 'misconfigured'],
  [
    'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user.',
    'protected-mode',
    'misconfigured',
  ],
  [
    'DENIED Running in protected mode because protected mode is enabled and no password is set for the default user.',
    'protected-mode',
    'misconfigured',
  ],
  ["NOPERM this user has no permissions to run the 'del' command", 'no-permission', 'none'],
  ['NOPERM this user has no permissions to access one of the keys used as arguments', 'no-permission', 'none'],
  ["NOPERM User app has no permissions to run the 'del' command", 'no-permission', 'none'],
  ['ERR DB index is out of range', 'wrong-database', 'misconfigured'],
  ['ERR invalid DB index', 'wrong-database', 'misconfigured'],
  ['ERR SELECT is not allowed in cluster mode', 'wrong-database', 'misconfigured'],
  ['NOPROTO unsupported protocol version', 'resp3-unsupported', 'resp2'],
  ['NOPROTO sorry this protocol version is not supported', 'resp3-unsupported', 'resp2'],
  ["ERR unknown command 'HELLO', with args beginning with: '3' ", 'resp3-unsupported', 'resp2'],
  ['ERR unknown command `HELLO`, with args beginning with: `3`, ', 'resp3-unsupported', 'resp2'],
  ["ERR unknown command 'hello'", 'resp3-unsupported', 'resp2'],
  ['ERR Bad TLS header, double check if you enabled TLS for your client.', 'plain-to-tls-port', 'misconfigured'],
  // Provider quota
  [
    'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details',
    'request-quota',
    'over-quota',
  ],
  ['ERR max requests limit exceeded.', 'request-quota', 'over-quota'],
  ['ERR max requests limit exceeded. Limit: 500000, Usage: 500001.', 'request-quota', 'over-quota'],
  ['ERR DB capacity quota exceeded', 'capacity-quota', 'none'],
  ['ERR max request size exceeded', 'size-limit', 'none'],
  ['ERR max single record size exceeded', 'size-limit', 'none'],
  ['ERR max key size exceeded. Limit: 32768 bytes, Actual: 40000 bytes', 'size-limit', 'none'],
  ['ERR string exceeds maximum allowed size (proto-max-bulk-len)', 'size-limit', 'none'],
  // Usage
  ['LATE the deadline of this command had passed when the server reached it', 'late', 'none'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'script-unknown', 'identity'],
  ['NOSCRIPT No matching script.', 'script-unknown', 'identity'],
  ["NOGROUP No such key 'st' or consumer group 'g' in XREADGROUP with GROUP option", 'group-unknown', 'identity'],
  ['EXECABORT Transaction discarded because of previous errors.', 'transaction-aborted', 'none'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'wrong-type', 'none'],
  ["ERR unknown command 'FOO', with args beginning with: 'x' ", 'unknown-command', 'none'],
  ["ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.", 'unknown-command', 'none'],
  [`ERR user_script:1: boom ${IN_SCRIPT}`, 'script-failed', 'none'],
  [`ERR Error running script (call to f_${SHA}): @user_script:1: user_script:1: boom`, 'script-failed', 'none'],
  ['UNBLOCKED client unblocked via CLIENT UNBLOCK', 'unblocked-by-client', 'none'],
  ['IOERR error or timeout writing to target instance', 'transfer-failed', 'none'],
  ['no upstream host', 'proxy-no-server', 'none'],
  ['upstream failure', 'proxy-server-failed', 'none'],
  ['ERR Connection timed out', 'proxy-server-failed', 'none'],
  // Anything else is about this call only.
  ["ERR wrong number of arguments for 'get' command", 'error-reply', 'none'],
  ['ERR value is not an integer or out of range', 'error-reply', 'none'],
  ['BUSYGROUP Consumer Group name already exists', 'error-reply', 'none'],
  ['BUSYKEY Target key name already exists.', 'error-reply', 'none'],
  ['', 'error-reply', 'none'],
]

for (const [text, code, reaction] of TEXTS) {
  test(`faultOfReply() knows '${text.slice(0, 70)}'`, () => {
    const fault = faultOfReply(text)
    assert.deepEqual([fault.code, fault.reaction], [code, reaction])
  })
}

test('faultOfReply() finds each entry by its own example', () => {
  for (const fault of FAULTS) {
    if (fault.replies === undefined) continue
    assert.equal(faultOfReply(fault.example ?? '').code, fault.code)
  }
})

test('faultOfReply() takes what an application says in its scripts for no state of the server', () => {
  const own = [
    'BUSY someone else has it',
    'DENIED for this customer',
    'ERR rate limit exceeded',
    'ERR over quota',
    'LATER',
    'LATE by the application itself',
  ]
  for (const text of own) assert.equal(faultOfReply(text).code, 'error-reply', text)
})

test('faultOfReply() goes by the beginning of the text, not by a word within it', () => {
  assert.equal(faultOfReply("ERR unknown option 'LOADING Redis is loading'").code, 'error-reply')
  assert.equal(faultOfReply('ERR value READONLY').code, 'error-reply')
})

test('knownFaultOfReply() is undefined for a text that nobody knows', () => {
  assert.equal(knownFaultOfReply('ERR something new'), undefined)
})

test('only scripts, proxies and MIGRATE may have done something before they failed', () => {
  const maybe = TEXTS.map(([text]) => faultOfReply(text)).filter((fault) => fault.executed === 'maybe')
  const codes = [...new Set(maybe.map((fault) => fault.code))].toSorted()
  assert.deepEqual(codes, ['proxy-server-failed', 'script-failed', 'transfer-failed'])
})

test('executedByReply() says no for every refusal of a plain command', () => {
  const refusals = TEXTS.filter(
    ([, code]) => !['proxy-server-failed', 'script-failed', 'transfer-failed'].includes(code),
  )
  for (const [text] of refusals) assert.equal(executedByReply(text, 'SET'), 'no', text)
})

test('executedByReply() says maybe when a script failed inside, in the words of Redis 7 and of Redis 6', () => {
  const texts = [
    `WRONGTYPE Operation against a key holding the wrong kind of value ${IN_SCRIPT}`,
    'WRONGTYPE Operation against a key holding the wrong kind of value script: f1, on @user_function:2.',
    `OOM command not allowed when used memory > 'maxmemory'. ${IN_SCRIPT}`,
    `ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: -OOM command not allowed`,
  ]
  for (const text of texts)
    for (const command of ['EVAL', 'evalsha', 'FCALL']) assert.equal(executedByReply(text, command), 'maybe', text)
})

test('executedByReply() says maybe when a script may have said it by itself after a write', () => {
  for (const text of [
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'MY own words',
    'ERR Something',
  ])
    assert.equal(executedByReply(text, 'EVAL'), 'maybe', text)
})

test('executedByReply() says no when the script surely did not start', () => {
  const texts = [
    'NOSCRIPT No matching script. Please use EVAL.',
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    'LOADING Redis is loading the dataset in memory',
    "ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'",
    'ERR Function not found',
    "ERR wrong number of arguments for 'eval' command",
  ]
  for (const text of texts) assert.equal(executedByReply(text, 'EVALSHA'), 'no', text)
})

test('executedByReply() trusts the fence, wherever the script stopped', () => {
  const late = 'LATE the deadline of this command had passed when the server reached it'
  assert.equal(executedByReply(late, 'EVALSHA'), 'no')
  assert.equal(executedByReply(`${late} ${IN_SCRIPT}`, 'EVALSHA'), 'no')
  assert.equal(executedByReply('LATE by 3 ms', 'EVALSHA'), 'maybe')
})

test('executedByReply() says maybe for EXEC, unless the transaction was thrown away', () => {
  assert.equal(executedByReply('WRONGTYPE Operation against a key holding the wrong kind of value', 'EXEC'), 'maybe')
  assert.equal(executedByReply('EXECABORT Transaction discarded because of previous errors.', 'exec'), 'no')
  assert.equal(executedByReply('EXECABORT Transaction discarded because of: OOM command not allowed', 'EXEC'), 'no')
  assert.equal(executedByReply('ERR EXEC without MULTI', 'EXEC'), 'no')
})
