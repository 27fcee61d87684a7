/**
 * A registry of metrics whose values are looked up when they are scraped.
 */
import type * as Prom from 'prom-client'
import type {
  Counter,
  CounterConfiguration,
  Gauge,
  GaugeConfiguration,
  MetricValueWithName,
  Registry,
} from 'prom-client'
import { EvenkeelError } from '../errors.ts'

type PromClient = Pick<typeof Prom, 'Counter' | 'Gauge' | 'Histogram' | 'Registry'>

export async function loadPromClient(): Promise<PromClient> {
  try {
    return await import('prom-client')
  } catch (cause) {
    throw new EvenkeelError('PEER_MISSING', "Metrics need the package 'prom-client', which could not be loaded.", {
      cause,
      nextStep: 'Install it beside evenkeel: npm install prom-client',
    })
  }
}

export type Labels = Readonly<Record<string, string>>
/** One series: its labels and its value now. */
export type Sample = readonly [labels: Labels, value: number]

export interface Metric {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly read: () => readonly Sample[]
}

/** A histogram at one moment: how many observations in each bucket, one bound less than buckets. */
export interface HistogramSample {
  readonly labels: Labels
  readonly bounds: readonly number[]
  readonly buckets: readonly number[]
  readonly sum: number
  readonly count: number
}

export interface HistogramMetric extends Omit<Metric, 'read'> {
  readonly read: () => readonly HistogramSample[]
}

/** Metrics whose value is looked up when they are scraped. */
export class Family {
  readonly registry: Registry
  readonly #prom: PromClient

  constructor(prom: PromClient) {
    this.#prom = prom
    this.registry = new prom.Registry()
  }

  counter(metric: Metric): void {
    const collect = function (this: Counter): void {
      this.reset()
      for (const [labels, value] of metric.read()) this.inc(labels, value)
    }
    const configuration: CounterConfiguration<string> = { ...this.#common(metric), collect }
    this.registry.registerMetric(new this.#prom.Counter(configuration))
  }

  gauge(metric: Metric): void {
    const collect = function (this: Gauge): void {
      const samples = metric.read()
      this.reset()
      // Without labels a reset leaves a 0, which would pass for a measured value.
      if (samples.length === 0) this.remove({})
      for (const [labels, value] of samples) this.set(labels, value)
    }
    const configuration: GaugeConfiguration<string> = { ...this.#common(metric), collect }
    this.registry.registerMetric(new this.#prom.Gauge(configuration))
  }

  /** One whose buckets were counted elsewhere: prom-client's own way to fill one is an observation at a time. */
  histogram(metric: HistogramMetric): void {
    const { Histogram } = this.#prom
    const { name, help } = metric
    const histogram = new Histogram({ name, help, registers: [] })
    // What the registry asks first when it writes text.
    const getForPromString = async (): Promise<object> => ({
      name,
      help,
      type: 'histogram',
      values: metric.read().flatMap((sample) => bucketLines(name, sample)),
    })
    this.registry.registerMetric(Object.assign(histogram, { getForPromString }))
  }

  /** No registers: else each metric would be in the global registry of the application too. */
  #common({ name, help, labels = [] }: Metric): { name: string; help: string; labelNames: string[]; registers: [] } {
    return { name, help, labelNames: [...labels], registers: [] }
  }
}

function bucketLines(
  name: string,
  { labels, bounds, buckets, sum, count }: HistogramSample,
): MetricValueWithName<string>[] {
  let below = 0
  const lines = bounds.map((bound, index) => {
    below += buckets[index] ?? 0
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below }
  })
  return [
    ...lines,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
