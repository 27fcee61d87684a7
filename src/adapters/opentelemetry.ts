/**
 * Spans and the histogram `db.client.operation.duration` for what the link sends, named by OpenTelemetry's semantic conventions for
 * databases (stable since 1.33): db.system.name, db.operation.name, db.namespace, server.address, server.port,
 * db.response.status_code, error.type. Arguments are never told.
 *
 *     const stop = traceLinks()                              // the global providers
 *     const stop = traceLinks({ spans: false })              // the histogram alone
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/database/
 */
import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Attributes, Context, MeterProvider, TracerProvider } from '@opentelemetry/api'
import { EvenkeelError, ReplyError } from '../errors.ts'
import { channels, type LinkCallMessage } from '../telemetry/channels.ts'

export interface TraceLinksOptions {
  /** A span per command, child of whatever is active where it is sent. @default true */
  readonly spans?: boolean
  /** The histogram. @default true */
  readonly durations?: boolean
  /** @default the global provider */
  readonly tracerProvider?: TracerProvider
  /** @default the global provider */
  readonly meterProvider?: MeterProvider
}

const SCOPE = 'evenkeel'
/** Seconds, as the conventions advise for this metric. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Begins at once, for every link of the process; returns the function that ends it. */
export function traceLinks(options: TraceLinksOptions = {}): () => void {
  const { spans = true, durations = true } = options
  const stops = [
    ...(spans ? traceSpans(options.tracerProvider ?? trace.getTracerProvider()) : []),
    ...(durations ? [measure(options.meterProvider ?? metrics.getMeterProvider())] : []),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function traceSpans(provider: TracerProvider): (() => void)[] {
  const tracer = provider.getTracer(SCOPE)
  const parents = new WeakMap<LinkCallMessage, Context>()
  return [
    channels.linkCallBegun.subscribe((call) => void parents.set(call, context.active())),
    channels.linkCallSettled.subscribe((call) => {
      const parent = parents.get(call)
      // It began before anybody listened.
      if (parent === undefined) return
      const options = { kind: SpanKind.CLIENT, startTime: call.at, attributes: attributesOf(call) }
      const span = tracer.startSpan(call.command, options, parent)
      if (call.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: codeOf(call.error) })
      span.end(call.at + (call.durationMs ?? 0))
    }),
  ]
}

function measure(provider: MeterProvider): () => void {
  const histogram = provider.getMeter(SCOPE).createHistogram('db.client.operation.duration', {
    description: 'Duration of database client operations.',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  return channels.linkCallSettled.subscribe((call) =>
    histogram.record((call.durationMs ?? 0) / 1000, attributesOf(call)),
  )
}

function attributesOf({ command, database, address, error }: LinkCallMessage): Attributes {
  return {
    'db.system.name': 'redis',
    'db.operation.name': command,
    'db.namespace': String(database),
    ...serverOf(address),
    ...(error === undefined ? {} : { 'error.type': codeOf(error) }),
    ...(error instanceof ReplyError ? { 'db.response.status_code': codeOf(error) } : {}),
  }
}

function serverOf(address: string | undefined): Attributes {
  if (address === undefined) return {}
  const parts = /^\[?(.+?)\]?:(\d+)$/.exec(address)
  return parts === null
    ? { 'server.address': address }
    : { 'server.address': parts[1] ?? '', 'server.port': Number(parts[2]) }
}

/** Few values: the first word of what Redis says, or our own code. The text itself may name keys. */
function codeOf(error: unknown): string {
  if (error instanceof ReplyError) return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'
  return error instanceof EvenkeelError ? error.code : 'Error'
}
