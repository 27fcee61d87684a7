/** What the data is for: as the user says, else as the names of the keys tell. */
import { known, mapped, valueOr } from '../../evidence.ts'
import type { DeclaredPurpose, EvidenceSource } from './context.ts'
import { shapeOf } from './keys.ts'
import type { DatabaseSample, KeySample, Purpose, Purposes, QueueFacts, ServerValues, Use } from './server-values.ts'

/** How applications and frameworks name their keys. */
const SIGNS: readonly (readonly [Purpose, RegExp])[] = [
  ['results', /^(celery-task-meta-|celery-taskset-meta-|rq:results?:|dramatiq-results?)/],
  [
    'queue',
    /^(bull:|celery$|_kombu\.|unacked(_index|_mutex)?$|rq:(job|queue)|queues?:|resque:|sidekiq|arq:|dramatiq:|evenkeel:tasks:)/,
  ],
  [
    'sessions',
    /^(sess|sessions?|user_session|spring:session|connect\.sid|PHPREDIS_SESSION|laravel_session|evenkeel:sessions)[:_]/,
  ],
  ['limits', /^(rl|rate-?_?limit(er|s|ing)?|throttler?|limiter|rlflx|LIMITER|LIMITS|evenkeel:limits)[:_/]/i],
  ['checkpoints', /^(checkpoints?|checkpoint_write|langgraph|evenkeel:checkpoints)[:_]/],
  ['events', /^(socket\.io|events?|streams?|evenkeel:events)[:_#]/],
  ['cache', /^(cache|caches|laravel_cache|page|views?|template|evenkeel:cache)[:._/]/],
]

export const purposes: EvidenceSource<ServerValues['purposes']> = {
  reads: '--role, or the names of the sampled keys',
  collect: async ({ hints, evidence }) => {
    const sample = await evidence('keys')
    const { purposes: declared = [] } = hints
    // A queue is a handful of keys among millions: it is looked for by name, not only met in the sample.
    const queues = valueOr(await evidence('queues'), [])
    if (declared.length === 0) return mapped(sample, (keys) => detected(keys, queues))
    const keys = sample.kind === 'known' ? sample.value : { databases: [] }
    return known({ source: 'declared', uses: declared.map((each) => declaredUse(each, keys)) })
  },
}

export function purposeOf(name: string): Purpose | undefined {
  return SIGNS.find(([, sign]) => sign.test(name))?.[0]
}

function detected({ databases }: KeySample, queues: readonly QueueFacts[]): Purposes {
  const met = databases.flatMap(usesIn)
  const found = queues.map(({ kind, name, database }): Use => {
    const where = `db${database} ${kind === 'bullmq' ? `bull:${name}:*` : name}`
    return { purpose: 'queue', where, sampled: 0, expiring: 0 }
  })
  const isMet = ({ where }: Use): boolean =>
    met.some((use) => use.purpose === 'queue' && use.where.split(' ')[0] === where.split(' ')[0])
  return { source: 'detected', uses: [...met, ...found.filter((use) => !isMet(use))] }
}

function usesIn({ database, sampled }: DatabaseSample): Use[] {
  const groups = Map.groupBy(sampled, ({ name }) => purposeOf(name))
  return [...groups].flatMap(([purpose, keys]) => {
    if (purpose === undefined) return []
    const first = keys[0]?.name ?? ''
    const expiring = keys.filter(({ ttlMs }) => ttlMs !== undefined).length
    return [{ purpose, where: `db${database} ${familyOf(first)}`, sampled: keys.length, expiring }]
  })
}

/** `bull:emails:7` → `bull:*`. */
function familyOf(name: string): string {
  const [first = ''] = shapeOf(name).split(/[:/|]/)
  return first === name ? first : `${first}:*`
}

function declaredUse({ purpose, database, prefix }: DeclaredPurpose, { databases }: KeySample): Use {
  const where = [database === undefined ? 'all databases' : `db${database}`, prefix === undefined ? '' : `${prefix}*`]
  const sampled = databases
    .filter((one) => database === undefined || one.database === database)
    .flatMap((one) => one.sampled.filter(({ name }) => name.startsWith(prefix ?? '')))
  const expiring = sampled.filter(({ ttlMs }) => ttlMs !== undefined).length
  return { purpose, where: where.join(' ').trim(), sampled: sampled.length, expiring }
}
