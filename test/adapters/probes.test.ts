/**
 * The operator's routes under real frameworks, with a real Redis that is well, killed and frozen: a service without Redis stays in
 * rotation, and nobody who asks for its health waits.
 */
// oxlint-disable-next-line import/no-unassigned-import -- Nest finds what a class needs by it
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Controller, Get, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { HealthCheckService, TerminusModule } from '@nestjs/terminus'
import express from 'express'
import { fastify, type FastifyInstance } from 'fastify'
import { expressProbes } from '../../src/adapters/express-probes.ts'
import { fastifyProbes } from '../../src/adapters/fastify-probes.ts'
import { terminusIndicators } from '../../src/adapters/terminus.ts'
import { createEvenkeel, type Evenkeel } from '../../src/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually, freePort } from '../support/wait.ts'

const directory = mkdtempSync(join(tmpdir(), 'evenkeel-probes-'))
let server: RedisServer
let keel: Evenkeel
let apps: {
  readonly express: Server
  readonly plain: Server
  readonly fastify: FastifyInstance
  readonly nest: INestApplication
}
let urls: Readonly<Record<'express' | 'plain' | 'fastify' | 'nest', string>>

before(async () => {
  server = await RedisServer.start({ port: await freePort() })
  keel = createEvenkeel({ redis: server.url, database: { directory }, logger: false })
  await keel.start()
  await eventually('the link is up', () => keel.link.health.state === 'up')
  const onExpress = express()
    .use('/internal', expressProbes(keel))
    .get('/internal/other', (_request, response) => void response.send('other'))
  const probes = expressProbes(keel)
  const plain = createServer((request, response) => probes(request, response, () => response.writeHead(404).end()))
  const onFastify = fastify()
  await onFastify.register(fastifyProbes, { keel, prefix: '/internal' })
  const nest = await nestApp(keel)
  apps = { express: onExpress.listen(0, '127.0.0.1'), plain: plain.listen(0, '127.0.0.1'), fastify: onFastify, nest }
  await onFastify.listen({ port: 0, host: '127.0.0.1' })
  await nest.listen(0, '127.0.0.1')
  await eventually('both listen', () => apps.express.listening && apps.plain.listening)
  urls = {
    express: `${urlOf(apps.express)}/internal`,
    plain: urlOf(apps.plain),
    fastify: `${urlOf(onFastify.server)}/internal`,
    nest: urlOf(nest.getHttpServer() as Server),
  }
})

after(async () => {
  apps.express.close()
  apps.plain.close()
  await apps.fastify.close()
  await apps.nest.close()
  await keel.close()
  await server.stop()
  rmSync(directory, { recursive: true })
})

function urlOf(listener: Server): string {
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
}

/** Written without decorators, which are no erasable TypeScript. */
async function nestApp(of: Evenkeel): Promise<INestApplication> {
  const indicators = terminusIndicators(of)
  class HealthController {
    readonly health: HealthCheckService
    constructor(health: HealthCheckService) {
      this.health = health
    }
    check(): unknown {
      return this.health.check([indicators.redis, indicators.database, indicators.roles])
    }
  }
  Reflect.defineMetadata('design:paramtypes', [HealthCheckService], HealthController)
  Controller('health')(HealthController)
  const check = Object.getOwnPropertyDescriptor(HealthController.prototype, 'check')
  assert.ok(check !== undefined)
  Get()(HealthController.prototype, 'check', check)
  const module = { module: HealthController, imports: [TerminusModule], controllers: [HealthController] }
  return await NestFactory.create(module, { logger: false })
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly ms: number
}

async function ask(url: string, method = 'GET'): Promise<Answer> {
  const startedAt = performance.now()
  const response = await fetch(url, { method })
  const body = await response.text()
  if (!url.includes('nest')) assert.ok(response.status === 404 || response.headers.get('content-type') !== null)
  return { status: response.status, body, ms: performance.now() - startedAt }
}

const FRAMEWORKS = ['express', 'plain', 'fastify'] as const

for (const framework of FRAMEWORKS)
  test(`${framework}: every route answers, by GET and by HEAD, and nothing else is touched`, async () => {
    const url = urls[framework]
    for (const path of ['/livez', '/readyz', '/health', '/metrics']) {
      const { status, body } = await ask(`${url}${path}?from=probe`)
      assert.equal(status, 200, path)
      assert.ok(body.length > 10, path)
      const head = await ask(`${url}${path}`, 'HEAD')
      assert.deepEqual([head.status, head.body], [200, ''], path)
    }
    assert.match((await ask(`${url}/metrics`)).body, /^evenkeel_link_state\{.*state="up"\} 1$/m)
    assert.equal((await ask(`${url}/health`, 'POST')).status, 404)
    assert.equal((await ask(`${url}/nothing`)).status, 404)
  })

test('express: what comes after the middleware is reached', async () => {
  assert.equal((await ask(`${urls.express}/other`)).body, 'other')
})

test('Redis away: everybody answers 200 and degraded, at once', async () => {
  for (const [begin, end] of [
    [() => server.kill(), () => server.start()],
    [() => server.freeze(), () => server.thaw()],
  ] as const) {
    await begin()
    await eventually('it is noticed', () => keel.health().status === 'degraded', { timeoutMs: 20_000 })
    for (const framework of FRAMEWORKS) {
      assert.equal((await ask(`${urls[framework]}/livez`)).status, 200)
      assert.equal((await ask(`${urls[framework]}/readyz`)).status, 200)
      const health = await ask(`${urls[framework]}/health`)
      assert.equal(health.status, 200)
      assert.equal((JSON.parse(health.body) as { status: string }).status, 'degraded')
      assert.ok(health.ms < 500, `${framework} took ${health.ms} ms`)
    }
    const nest = await ask(`${urls.nest}/health`)
    assert.equal(nest.status, 200)
    const { status, details } = JSON.parse(nest.body) as {
      status: string
      details: Record<string, { status: string; reason: string }>
    }
    assert.equal(status, 'degraded')
    assert.equal(details['redis']?.status, 'degraded')
    assert.ok(details['redis']?.reason)
    assert.equal(details['database']?.status, 'up')
    await end()
    await eventually('it is used again', () => keel.health().status === 'healthy', { timeoutMs: 20_000 })
  }
  const back = await ask(`${urls.nest}/health`)
  assert.equal((JSON.parse(back.body) as { status: string }).status, 'ok')
})

test('without its database a service is not ready, and terminus answers 503', async () => {
  const closed = createEvenkeel({ database: 'postgres://nobody@127.0.0.1:1/nothing', logger: false })
  await closed.start()
  await eventually('it is noticed', () => closed.health().database.state !== 'connecting')
  const nest = await nestApp(closed)
  await nest.listen(0, '127.0.0.1')
  const { status, body } = await ask(`${urlOf(nest.getHttpServer() as Server)}/health`)
  assert.equal(status, 503)
  assert.match(body, /"database":\{"status":"down"/)
  await nest.close()
  await closed.close()
})
