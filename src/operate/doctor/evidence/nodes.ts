/** The servers that belong together: the master and its replicas, each asked itself. */
import type { Address } from '../../../link/index.ts'
import { known, mapped, valueOr } from '../../evidence.ts'
import type { Server } from '../server.ts'
import type { EvidenceContext, EvidenceSource } from './context.ts'
import { fieldsOfInfo, fieldsOfPairs } from './fields.ts'
import type { Fields, NodeFacts, ServerValues } from './server-values.ts'

const MAX_NODES = 16
/** Short of everything, so that one that is away costs little. */
const SHARE_OF_TIME = 0.4
const SETTINGS = [
  'masterauth',
  'requirepass',
  'min-replicas-to-write',
  'min-replicas-max-lag',
  'replica-read-only',
  'replica-announce-ip',
]

export const nodes: EvidenceSource<ServerValues['nodes']> = {
  reads: 'INFO and CONFIG GET of the master and of every replica',
  commands: ['info', 'config|get'],
  collect: async (context) => {
    const info = await context.evidence('info')
    if (info.kind !== 'known') return info
    const sentinels = valueOr(await context.evidence('sentinels'), [])
    const named = sentinels.flatMap(({ master = '', replicas }) => [master, ...replicas]).filter(Boolean)
    const places = [...new Set([...neighboursIn(info.value), ...named])].slice(0, MAX_NODES)
    const own = await factsOf('this server', context.server)
    const others = await Promise.all(places.map((place) => lookAt(place, context)))
    return known(withoutTwins([own, ...others]))
  },
}

/** `slave0:ip=10.0.0.7,port=6379,state=online,…` of a master, `master_host` of a replica. */
export function neighboursIn(info: Fields): readonly string[] {
  const master = info.get('master_host')
  const own = master === undefined ? [] : [`${master}:${info.get('master_port')}`]
  const replicas = [...info].flatMap(([name, text]) => {
    const [, host = '', port = ''] = /^slave\d+$/.test(name) ? (/ip=([^,]+),port=(\d+)/.exec(text) ?? []) : []
    return host === '' ? [] : [`${host}:${port}`]
  })
  return [...own, ...replicas]
}

/** One server under two addresses is one. */
function withoutTwins(nodes: readonly NodeFacts[]): readonly NodeFacts[] {
  const seen = new Set<string>()
  return nodes.filter(({ info, place }) => {
    const id = info.get('run_id') ?? place
    return !seen.has(id) && seen.add(id)
  })
}

async function lookAt(place: string, context: EvidenceContext): Promise<NodeFacts> {
  const at = place.lastIndexOf(':')
  const address: Address = { kind: 'tcp', host: place.slice(0, at), port: Number(place.slice(at + 1)) }
  return await factsOf(place, context.serverAt(address, { withinMs: context.remainingMs * SHARE_OF_TIME }))
}

async function factsOf(place: string, server: Server): Promise<NodeFacts> {
  const info = await server.ask('INFO')
  // Before 7.0 one name at a time.
  const settings = await Promise.all(SETTINGS.map((name) => server.ask('CONFIG', 'GET', name)))
  const pairs = settings.flatMap((reply) => [...valueOr(mapped(reply, fieldsOfPairs), new Map<string, string>())])
  return {
    place,
    unreached: info.kind === 'known' ? undefined : info.detail,
    info: valueOr(mapped(info, fieldsOfInfo), new Map<string, string>()),
    config: new Map(pairs),
  }
}
