/** What the link sends, told in OpenTelemetry's words: by the real SDK, from a real Redis that is well and away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { traceLinks } from '../../src/adapters/opentelemetry.ts'
import { createLink } from '../../src/link/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

test('commands become spans below what is active, and durations by command and error; arguments are not told', async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  await using server = await RedisServer.start()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const spans = new InMemorySpanExporter()
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] })
  const stop = traceLinks({ meterProvider, tracerProvider })
  const link = createLink(`${server.url}/3`)
  link.start()
  await eventually('the link is up', () => link.health.state === 'up')
  const parent = tracerProvider.getTracer('test').startSpan('request')
  await context.with(trace.setSpan(context.active(), parent), async () => {
    await link.send(['set', 'secret-key', 'secret-value'])
    await link.send(['GET', 'secret-key'])
    await assert.rejects(link.send(['LPUSH', 'secret-key', 'x']))
  })
  await server.kill()
  await eventually('it is noticed', () => link.health.state === 'down', { timeoutMs: 20_000 })
  await assert.rejects(link.send(['GET', 'secret-key']))
  stop()
  await assert.rejects(link.send(['PING']))
  await link.close()

  const told = spans.getFinishedSpans()
  assert.deepEqual(
    told.map(({ name }) => name),
    ['SET', 'GET', 'LPUSH', 'GET'],
  )
  const [set, , push, refused] = told
  const where = {
    'db.system.name': 'redis',
    'db.namespace': '3',
    'server.address': '127.0.0.1',
    'server.port': server.port,
  }
  assert.deepEqual(set?.attributes, { ...where, 'db.operation.name': 'SET' })
  assert.equal(set?.parentSpanContext?.spanId, parent.spanContext().spanId)
  assert.equal(push?.attributes['db.response.status_code'], 'WRONGTYPE')
  assert.deepEqual(push?.status, { code: SpanStatusCode.ERROR, message: 'WRONGTYPE' })
  assert.equal(refused?.attributes['error.type'], 'LINK_UNAVAILABLE')
  assert.equal(refused?.parentSpanContext, undefined)
  assert.doesNotMatch(
    JSON.stringify(told.map(({ name, attributes, status }) => ({ name, attributes, status }))),
    /secret/,
  )

  await reader.forceFlush()
  const metric = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))[0]
  assert.equal(metric?.descriptor.name, 'db.client.operation.duration')
  assert.equal(metric?.descriptor.unit, 's')
  const counts = metric?.dataPoints.map(({ attributes, value }) => [
    attributes['db.operation.name'],
    attributes['error.type'],
    (value as { count: number }).count,
  ])
  assert.deepEqual(counts, [
    ['SET', undefined, 1],
    ['GET', undefined, 1],
    ['LPUSH', 'WRONGTYPE', 1],
    ['GET', 'LINK_UNAVAILABLE', 1],
  ])
  await meterProvider.shutdown()
})

test('nothing is told, and nothing made, while nobody listens', async () => {
  await using server = await RedisServer.start()
  const spans = new InMemorySpanExporter()
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] })
  const stop = traceLinks({ tracerProvider, durations: false })
  stop()
  const link = createLink(server.url)
  link.start()
  await eventually('the link is up', () => link.health.state === 'up')
  await link.send(['PING'])
  await link.close()
  assert.deepEqual(spans.getFinishedSpans(), [])
})
