/**
 * What the link relies on, proved for one driver against real servers, real faults and a server that says anything.
 *
 *     driverSuite('ioredis 6', () => ioredis(Redis))
 *
 * A driver for another client library is right when it passes.
 */
import assert from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import type { Driver } from '../../src/link/driver.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { connectingSuite } from './driver-connecting.ts'
import { endingSuite } from './driver-endings.ts'
import { pushSuite } from './driver-pushes.ts'
import { replySuite } from './driver-replies.ts'
import { shapeSuite } from './driver-shapes.ts'
import { tlsSuite } from './driver-tls.ts'
import type { Rig } from './driver-rig.ts'

export function driverSuite(name: string, makeDriver: () => Driver): void {
  describe(`driver ${name}`, () => {
    let server: RedisServer
    let proxy: FaultProxy
    const stray: unknown[] = []
    const printed = (...words: unknown[]): void => void stray.push(words)
    const escaped = (error: unknown): void => void stray.push(error)

    before(async () => {
      for (const level of ['error', 'warn', 'log'] as const) mock.method(console, level, printed)
      process.on('warning', escaped)
      process.on('unhandledRejection', escaped)
      server = await RedisServer.start()
      proxy = await FaultProxy.start(server)
    })
    after(async () => {
      mock.restoreAll()
      process.off('warning', escaped)
      process.off('unhandledRejection', escaped)
      await proxy.close()
      await server.stop()
    })

    const rig: Rig = { driver: makeDriver, server: () => server, proxy: () => proxy }
    connectingSuite(rig)
    tlsSuite(rig)
    replySuite(rig)
    shapeSuite(rig)
    pushSuite(rig)
    endingSuite(rig)

    test('nothing was printed, no warning and no rejection escaped in all of this', () => {
      assert.deepEqual(stray, [])
    })
  })
}
