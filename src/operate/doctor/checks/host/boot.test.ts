/** What keeps Redis from starting, or from starting again: judged on made-up machines. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InterfaceAddress } from '../../../host/addresses.ts'
import { bindAddresses } from '../../../host/redis-conf.ts'
import type { Listener } from '../../../host/sockets.ts'
import { unitProperties, type ServiceUnit } from '../../../host/unit.ts'
import type { Outcome } from '../../check.ts'
import type { WantedBind } from '../../evidence/host-values.ts'
import { bindListening } from './bind-listening.ts'
import { bindMissing } from './bind-missing.ts'
import { dockerGateways } from './docker-gateways.ts'
import { enabled } from './enabled.ts'
import { ipv6Off } from './ipv6-off.ts'
import { portTaken } from './port-taken.ts'
import { requiresDocker } from './requires-docker.ts'
import { startLimit } from './start-limit.ts'
import { twoServers } from './two-servers.ts'
import { unitState } from './unit-state.ts'

const redisHere = { by: 'address', detail: 'made up' } as const
const OWN = addresses('127.0.0.1', '::1', '10.0.0.5')
const DEBIAN = unit('[Service]\nRestart=always\n')
/** Out of the field document: prod and dev networks of Docker. */
const REPORTED_BIND = '127.0.0.1 172.30.0.1 172.31.0.1 ::1'

function addresses(...list: readonly string[]): readonly InterfaceAddress[] {
  return list.map((address) => ({ link: 'x', address, family: address.includes(':') ? 6 : 4, prefix: 0, up: true }))
}

function bind(words: string): WantedBind {
  return { addresses: bindAddresses([words]), port: 6379, tlsPort: 0, from: '/etc/redis/redis.conf:1' }
}

function listening(...list: readonly string[]): readonly Listener[] {
  return list.map((address) => ({ address, port: 6379, uid: 106 }))
}

function unit(text: string, shown: Readonly<Record<string, string>> = {}): ServiceUnit {
  const properties = new Map([...unitProperties([text]), ...Object.entries(shown)])
  return { name: 'redis-server', source: 'systemctl', properties, files: ['/lib/r.service'] }
}

function version(redis: string): ReadonlyMap<string, string> {
  return new Map([['redis_version', redis]])
}

function states(outcomes: readonly Outcome[]): string {
  for (const { state, fix, evidence } of outcomes)
    if (state === 'fail' || state === 'warn') assert.ok(fix !== undefined && fix.text !== '' && evidence.length > 0)
  return outcomes.map(({ state }) => state).join(' ')
}

describe('host.bind-missing', () => {
  const cases: [string, Parameters<typeof bindMissing.judge>[0], string, RegExp?][] = [
    ['the default', { redisHere, wantedBind: bind('127.0.0.1 -::1'), addresses: OWN }, 'ok'],
    ['every address', { redisHere, wantedBind: bind('* -::*'), addresses: [] }, 'ok'],
    [
      'bridges to come',
      { redisHere, wantedBind: bind(REPORTED_BIND), addresses: OWN },
      'fail',
      /does not start.*172\.30\.0\.1, 172\.31\.0\.1/,
    ],
    [
      'still running',
      { redisHere, wantedBind: bind(REPORTED_BIND), addresses: OWN, info: version('7.0.15') },
      'fail',
      /next start fails/,
    ],
    ['bound early', { redisHere, wantedBind: bind(REPORTED_BIND), addresses: OWN, nonlocalBind: true }, 'warn', /yet/],
    [
      'optional',
      { redisHere, wantedBind: bind('127.0.0.1 -172.30.0.1'), addresses: OWN },
      'fail',
      /never listens there later/,
    ],
    [
      'IPv6 is not bound early by the setting of IPv4',
      { redisHere, wantedBind: bind('fd00::1'), addresses: OWN, nonlocalBind: true },
      'fail',
    ],
  ]
  for (const [name, evidence, expected, words = /./] of cases)
    test(name, () => {
      const outcomes = bindMissing.judge(evidence)
      assert.equal(states(outcomes), expected)
      assert.match(outcomes[0]?.summary ?? '', words)
    })

  test('names the mend and how to take it back', () => {
    const [outcome] = bindMissing.judge({ redisHere, wantedBind: bind(REPORTED_BIND), addresses: OWN })
    assert.match(outcome?.fix?.commands?.join('\n') ?? '', /ip_nonlocal_bind = 1/)
    assert.match(outcome?.undo?.commands?.join('\n') ?? '', /rm .*60-evenkeel-redis\.conf/)
    assert.ok(outcome?.evidence.includes('no interface has 172.30.0.1'))
  })
})

describe('host.bind-listening', () => {
  const cases: [string, Parameters<typeof bindListening.judge>[0], string][] = [
    ['all of them', { redisHere, wantedBind: bind('127.0.0.1 -::1'), listeners: listening('127.0.0.1', '::1') }, 'ok'],
    ['every address', { redisHere, wantedBind: bind('* -::*'), listeners: listening('0.0.0.0', '::') }, 'ok'],
    ['nobody', { redisHere, wantedBind: bind('127.0.0.1'), listeners: [] }, 'fail'],
    ['half', { redisHere, wantedBind: bind('127.0.0.1 -172.30.0.1'), listeners: listening('127.0.0.1') }, 'fail'],
    [
      'no IPv6, which is optional',
      { redisHere, wantedBind: bind('127.0.0.1 -::1'), listeners: listening('127.0.0.1'), ipv6Off: true },
      'ok',
    ],
    ['no port', { redisHere, wantedBind: { ...bind('127.0.0.1'), port: 0 }, listeners: [] }, 'not-applicable'],
  ]
  for (const [name, evidence, expected] of cases)
    test(name, () => assert.equal(states(bindListening.judge(evidence)), expected))
})

test('host.ipv6-off fails for a plain ::1 where there is no IPv6, from Redis 6.2 on', () => {
  const judge = (words: string, off: boolean, redis?: string): string =>
    states(
      ipv6Off.judge({
        redisHere,
        wantedBind: bind(words),
        ipv6Off: off,
        ...(redis === undefined ? {} : { info: version(redis) }),
      }),
    )
  assert.deepEqual(
    [
      judge(REPORTED_BIND, false),
      judge(REPORTED_BIND, true),
      judge('127.0.0.1 -::1', true),
      judge(REPORTED_BIND, true, '6.0.16'),
      judge(REPORTED_BIND, true, '7.0.15'),
    ],
    ['ok', 'fail', 'ok', 'info', 'fail'],
  )
})

describe('host.start-limit', () => {
  const patient = unit('[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=2\n')
  const cases: [string, Parameters<typeof startLimit.judge>[0], string][] = [
    ['defaults and bridges', { redisHere, unit: DEBIAN, wantedBind: bind(REPORTED_BIND) }, 'fail'],
    ['defaults and loopback', { redisHere, unit: DEBIAN, wantedBind: bind('127.0.0.1 -::1') }, 'ok'],
    ['no limit', { redisHere, unit: patient, wantedBind: bind(REPORTED_BIND) }, 'ok'],
    [
      'RestartSec of the field document',
      { redisHere, unit: unit('[Service]\nRestart=on-failure\nRestartSec=10\n'), wantedBind: bind(REPORTED_BIND) },
      'ok',
    ],
    [
      'no restart at all',
      { redisHere, unit: unit('[Service]\nExecStart=/x\n'), wantedBind: bind(REPORTED_BIND) },
      'fail',
    ],
    ['bound early', { redisHere, unit: DEBIAN, wantedBind: bind(REPORTED_BIND), nonlocalBind: true }, 'ok'],
    ['every address', { redisHere, unit: DEBIAN, wantedBind: bind('*') }, 'ok'],
  ]
  for (const [name, evidence, expected] of cases)
    test(name, () => assert.equal(states(startLimit.judge(evidence)), expected))
})

test('host.requires-docker warns of a hard tie, and not of an order', () => {
  const judge = (text: string): string => states(requiresDocker.judge({ redisHere, unit: unit(text) }))
  assert.deepEqual(
    [
      judge('After=docker.service\nWants=docker.service'),
      judge('Requires=docker.service'),
      judge('BindsTo=x.service docker.service'),
      judge('Requires=docker-cleanup.service'),
    ],
    ['ok', 'warn', 'warn', 'ok'],
  )
})

describe('host.unit-state', () => {
  const state = (ActiveState: string, SubState: string, Result = 'success', NRestarts = '0'): ServiceUnit =>
    unit('', { ActiveState, SubState, Result, NRestarts })
  const cases: [string, Parameters<typeof unitState.judge>[0], string, RegExp?][] = [
    ['running', { redisHere, unit: state('active', 'running') }, 'ok'],
    ['started again', { redisHere, unit: state('active', 'running', 'success', '3') }, 'warn', /3 times/],
    ['given up', { redisHere, unit: state('failed', 'failed', 'start-limit-hit') }, 'fail', /given Redis up/],
    [
      'given up, as systemd 252 shows it',
      { redisHere, unit: state('failed', 'failed', 'exit-code', '5') },
      'fail',
      /given Redis up/,
    ],
    ['failed once', { redisHere, unit: state('failed', 'failed', 'exit-code') }, 'fail', /has failed \(exit-code\)/],
    ['trying', { redisHere, unit: state('activating', 'auto-restart', 'exit-code') }, 'fail', /again and again/],
    ['stopped', { redisHere, unit: state('inactive', 'dead') }, 'fail', /stopped/],
    ['another one answers', { redisHere, unit: state('inactive', 'dead'), info: version('7.0.15') }, 'info'],
    ['no systemd', { redisHere, unit: { ...DEBIAN, source: 'files' } }, 'not-applicable'],
  ]
  for (const [name, evidence, expected, words = /./] of cases)
    test(name, () => {
      const outcomes = unitState.judge(evidence)
      assert.equal(states(outcomes), expected)
      assert.match(outcomes[0]?.summary ?? '', words)
    })
})

test('host.enabled fails when nothing starts it at boot', () => {
  const judge = (UnitFileState: string): string =>
    states(enabled.judge({ redisHere, unit: unit('', { UnitFileState }) }))
  assert.deepEqual(['enabled', 'static', 'disabled', 'masked', ''].map(judge), [
    'ok',
    'ok',
    'fail',
    'fail',
    'not-applicable',
  ])
})

test('host.port-taken fails when somebody listens and no Redis runs', () => {
  const judge = (listeners: readonly Listener[], pids: readonly number[]): string =>
    states(
      portTaken.judge({
        redisHere,
        wantedBind: bind('127.0.0.1'),
        listeners,
        redisProcesses: pids.map((pid) => ({ pid, name: 'redis-server' })),
      }),
    )
  assert.deepEqual(
    [judge(listening('0.0.0.0'), []), judge(listening('0.0.0.0'), [7]), judge([], [])],
    ['fail', 'ok', 'ok'],
  )
})

test('host.two-servers tells of more than one', () => {
  const judge = (pids: readonly number[]): string =>
    states(twoServers.judge({ redisHere, redisProcesses: pids.map((pid) => ({ pid, name: 'redis-server' })) }))
  assert.deepEqual([judge([]), judge([1]), judge([1, 2])], ['ok', 'ok', 'info'])
})

test('host.docker-gateways tells which networks cannot reach Redis', () => {
  const network = (name: string, gateway: string) => ({ name, driver: 'bridge', gateways: [gateway], subnets: [] })
  const judge = (networks: Parameters<typeof dockerGateways.judge>[0]['dockerNetworks']): readonly Outcome[] =>
    dockerGateways.judge({
      redisHere,
      wantedBind: bind(REPORTED_BIND),
      listeners: listening('127.0.0.1', '172.30.0.1'),
      dockerNetworks: networks,
    })
  assert.equal(states(judge([])), 'not-applicable')
  assert.equal(states(judge([network('prod', '172.30.0.1')])), 'ok')
  const [outcome] = judge([network('prod', '172.30.0.1'), network('bridge', '172.17.0.1')])
  assert.equal(outcome?.state, 'info')
  assert.ok(outcome.evidence.includes('bridge: 172.17.0.1:6379 is not listened at'))
})
