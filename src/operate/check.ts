/** Can we be served now? Each endpoint is looked at by itself, all at the same time, none longer than its budget. */
import { type Clock, systemClock } from '../clock.ts'
import type { Diagnosis, Layer } from './diagnosis.ts'
import { serviceFinding } from './findings.ts'
import { Examination, NotServed } from './probes/examination.ts'
import { probeHttp } from './probes/http.ts'
import { reach } from './probes/network.ts'
import { probePostgres } from './probes/postgres.ts'
import { probeRedis } from './probes/redis.ts'
import type { Target } from './targets.ts'

export interface CheckOptions {
  /** Budget for each endpoint, kept in every state. @default 5000 */
  readonly timeoutMs?: number
  /** Write a value that goes by itself, and read it back. @default false */
  readonly write?: boolean
  /** Round trips to measure; 0 for none. @default 10 */
  readonly probes?: number
  /** What the key that is read and written in Redis begins with. @default 'evenkeel:check:' */
  readonly keyPrefix?: string
  /** @default the system's */
  readonly clock?: Clock
}

export const DEFAULT_TIMEOUT_MS = 5000
const DEFAULTS = {
  timeoutMs: DEFAULT_TIMEOUT_MS,
  write: false,
  probes: 10,
  keyPrefix: 'evenkeel:check:',
  clock: systemClock,
}

/** Never rejects: what goes wrong is in the diagnoses, which come in the order of the targets. */
export function check(targets: readonly Target[], options: CheckOptions = {}): Promise<readonly Diagnosis[]> {
  const settings = { ...DEFAULTS, ...options }
  return Promise.all(targets.map((target) => diagnose(target, settings)))
}

async function diagnose(target: Target, settings: Required<CheckOptions>): Promise<Diagnosis> {
  const { clock, timeoutMs } = settings
  const startedAt = clock.now()
  const examination = new Examination(clock, timeoutMs)
  await probe(target, settings, examination).catch((error: unknown) => {
    if (!(error instanceof NotServed)) throw error
  })
  const layers = examination.layers.map((layer) => withoutSecrets(layer, secretsOf(target)))
  const served = layers.every(({ state }) => state !== 'failed')
  const { kind, place, source } = target
  return { kind, place, source, served, ms: clock.now() - startedAt, layers }
}

/** What may stand in no output, whatever a server or a proxy repeats. */
function secretsOf(target: Target): readonly string[] {
  if (target.kind === 'postgres') return written(target.address.password)
  if (target.kind === 'http') return written(target.url.password)
  if (target.kind === 'tcp') return []
  return [...written(target.endpoint.password), ...written(target.endpoint.sentinelCredentials.password)]
}

/** As it is, and as it stands in a URL. */
function written(secret: string | undefined): readonly string[] {
  return secret === undefined || secret === '' ? [] : [secret, encodeURIComponent(secret)]
}

function withoutSecrets(layer: Layer, secrets: readonly string[]): Layer {
  const clean = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
  const { finding } = layer
  // Words of ours hold no secret; a password such as 'ok' would make holes in them.
  if (finding?.error === undefined) return layer
  return { ...layer, detail: clean(layer.detail), finding: { ...finding, error: clean(finding.error) } }
}

async function probe(target: Target, settings: Required<CheckOptions>, examination: Examination): Promise<void> {
  switch (target.kind) {
    case 'redis':
      return await probeRedis(target.endpoint, settings, examination)
    case 'postgres':
      return await probePostgres(target.address, settings, examination)
    case 'http':
      return await probeHttp(target.url, target.tls, examination)
    case 'tcp':
      return void (await reach(examination, [target.address], serviceFinding))
  }
}
