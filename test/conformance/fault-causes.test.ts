/**
 * The fault table against real failures of connections: what each driver tells as the cause of an end, over each client
 * library, must get the meaning that it has.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Driver } from '../../src/link/driver.ts'
import { ioredis } from '../../src/link/drivers/ioredis.ts'
import { nodeRedis } from '../../src/link/drivers/node-redis.ts'
import { describeError, type Fault, faultOfFailure } from '../../src/link/faults.ts'
import { RedisServer } from '../support/redis-server.ts'
import * as states from '../support/redis-states.ts'
import { eventually } from '../support/wait.ts'
import { NETWORK_CELLS, proxyTo, secured, type SecuredOptions, started, TLS_CELLS } from './fault-cells.ts'
import { type Target, Witness } from './witness.ts'

const DRIVERS: Readonly<Record<string, () => Driver>> = {
  'node-redis 6': () => nodeRedis(),
  'ioredis 6': () => ioredis(Redis),
  'ioredis 5': () => ioredis(Redis5),
}

let server: RedisServer
before(async () => {
  server = await RedisServer.start()
})
after(() => server.stop())

/** Connects, asks if it can, and says what the end means. */
async function faultOfStart(t: TestContext, driver: Driver, target: Target): Promise<Fault> {
  const witness = new Witness()
  const connection = witness.open(t, driver, target)
  await eventually('it opens or closes', () => witness.log.length > 1)
  const opened = witness.log.includes('opened')
  if (opened) connection.send(['PING'], false).catch(() => 'the cause is told with the end')
  const cause = await witness.untilClosed()
  t.diagnostic(describeError(cause))
  const phase = opened ? 'handshake' : 'connect'
  return faultOfFailure(cause, { phase, tls: target.options?.tls !== undefined, everUp: false })
}

/** Lets a connection work, ends it while a command is in flight, and says what the end means. */
async function faultOfEnd(
  t: TestContext,
  driver: Driver,
  { port, end }: { port: number; end: () => unknown },
): Promise<Fault> {
  const witness = new Witness()
  const connection = witness.open(t, driver, { port })
  await witness.untilOpened()
  assert.equal(await connection.send(['PING'], false), 'PONG')
  const inFlight = connection.send(['BLPOP', 'nothing', '0'], false).catch((error: unknown) => error)
  await end()
  const cause = await witness.untilClosed()
  t.diagnostic(describeError(cause))
  assert.ok((await inFlight) instanceof Error)
  return faultOfFailure(cause, { phase: 'established', tls: false, everUp: true })
}

for (const [name, driver] of Object.entries(DRIVERS)) {
  describe(name, () => {
    for (const [what, { code, target }] of Object.entries({ ...NETWORK_CELLS, ...TLS_CELLS }))
      test(`${what}: ${code}`, async (t) => {
        assert.equal((await faultOfStart(t, driver(), await target(t, server))).code, code)
      })

    // With TLS 1.3 the client is through before the server has looked at its certificate.
    const refusals: Readonly<Record<string, SecuredOptions>> = {
      'tls-client-certificate-missing': { wantsClients: true },
      'tls-client-certificate-refused': { wantsClients: true, client: 'strangerClient' },
    }
    for (const [refusal, options] of Object.entries(refusals))
      test(`TLS 1.3: ${refusal}, unless the first command outruns the alert`, async (t) => {
        const fault = await faultOfStart(t, driver(), await secured('server', options)(t, server))
        assert.ok([refusal, 'closed-at-start'].includes(fault.code), fault.code)
      })

    test('a full server: what it said, not that it closed', async (t) => {
      const full = await states.tooManyClients(server)
      t.after(() => full.restore())
      assert.equal((await faultOfStart(t, driver(), { port: server.port })).code, 'max-clients')
    })

    test('protected mode: what it said', async (t) => {
      const own = await started(t)
      const { host } = await states.protectedMode(own)
      assert.equal((await faultOfStart(t, driver(), { port: own.port, host })).code, 'protected-mode')
    })
  })

  describe(`${name}, once it is up`, () => {
    test('a reset', async (t) => {
      const proxy = await proxyTo(t, server)
      const fault = await faultOfEnd(t, driver(), { port: proxy.port, end: () => proxy.resetConnections() })
      assert.deepEqual([fault.code, fault.reaction, fault.executed], ['reset', 'down', 'maybe'])
    })

    test('a close', async (t) => {
      const proxy = await proxyTo(t, server)
      const fault = await faultOfEnd(t, driver(), { port: proxy.port, end: () => proxy.finConnections() })
      assert.deepEqual([fault.code, fault.reaction, fault.executed], ['connection-closed', 'down', 'maybe'])
    })

    test('a killed server', async (t) => {
      const own = await started(t)
      const fault = await faultOfEnd(t, driver(), { port: own.port, end: () => own.kill() })
      assert.ok(['reset', 'connection-closed'].includes(fault.code), fault.code)
      assert.equal(fault.reaction, 'down')
    })

    test('a proxy that answers with a web page: an outage, no setting', async (t) => {
      const proxy = await proxyTo(t, server)
      const witness = new Witness()
      const connection = witness.open(t, driver(), proxy)
      await witness.untilOpened()
      assert.equal(await connection.send(['PING'], false), 'PONG')
      proxy.set('garbage')
      connection.send(['GET', 'key'], false).catch(() => 'the cause is told with the end')
      const cause = await witness.untilClosed()
      const fault = faultOfFailure(cause, { phase: 'established', tls: false, everUp: true })
      assert.deepEqual([fault.code, fault.reaction], ['not-redis', 'down'])
    })
  })
}
