/**
 * Does the Redis that is asked about run on this machine? What is true of this machine says nothing of another one.
 *
 *     told by --redis-conf or --unit ─────────────────────────────────────▶ here
 *     it answers: its process id is a Redis in our /proc, its address ours ─▶ here, else not
 *     it does not: its address is one of ours, or our redis.conf binds it ──▶ here, else not
 */
import { isIP } from 'node:net'
import type { LayerName } from '../../diagnosis.ts'
import { known, notAvailable, valueOr, type Evidence } from '../../evidence.ts'
import { isLoopback, sameAddress } from '../../host/addresses.ts'
import { isRedisServer } from '../../host/process.ts'
import { bindAddresses, directive } from '../../host/redis-conf.ts'
import type { EvidenceContext } from './context.ts'
import { numberIn } from './fields.ts'
import type { RedisHere } from './host-values.ts'

export async function redisHere(context: EvidenceContext): Promise<Evidence<RedisHere>> {
  const { redisConf, unit } = context.hints
  if (redisConf !== undefined || unit !== undefined) return known({ by: 'told', detail: 'told by the command line' })
  const place = await ownPlace(context)
  if (place.kind !== 'known') return place
  const info = await context.evidence('info')
  if (info.kind !== 'known') return known({ by: 'address', detail: place.value })
  const pid = numberIn(info.value, 'process_id')
  if (await isRedisServer(context.host, pid)) return known({ by: 'process', detail: `${place.value}, process ${pid}` })
  return notAvailable(
    `${place.value}, but its process ${pid} is no Redis that can be seen here: it runs in a container or behind a tunnel, and the doctor must run there to see the machine`,
  )
}

/** Why the address is one of this machine's. */
async function ownPlace(context: EvidenceContext): Promise<Evidence<string>> {
  const { topology, addresses: places } = context.target.endpoint
  if (places.some(({ kind }) => kind === 'socket')) return known('it is reached by a file of this machine')
  const named = places.flatMap((place) => (place.kind === 'tcp' ? [place.host] : []))
  // Sentinels say where Redis is; where they are themselves says nothing.
  const all = topology === 'sentinel' ? await master(context) : [...named, ...(await resolved(context, named))]
  const addresses = valueOr(await context.evidence('addresses'), [])
  for (const host of all) {
    if (isLoopback(host)) return known(`${host} is this machine`)
    const own = addresses.find(({ address }) => sameAddress(address, host))
    if (own !== undefined) return known(`${host} is an address of this machine (${own.link})`)
  }
  const bound = await boundHere(context, all)
  if (bound !== undefined) return known(`no interface has ${bound.host}, but ${bound.file} of this machine binds it`)
  return notAvailable(
    all.length === 0
      ? 'where Redis is could not be found out, so not whether it is here'
      : `Redis is on another machine: ${all.join(', ')} is no address of this one`,
  )
}

/** What the check has found the names to be: nothing is resolved a second time. */
async function resolved(context: EvidenceContext, hosts: readonly string[]): Promise<readonly string[]> {
  if (hosts.every((host) => isIP(host) !== 0)) return []
  return await addressesIn(context, 'name')
}

/** `the master 'mymaster' is 10.0.0.5:6379`. */
async function master(context: EvidenceContext): Promise<readonly string[]> {
  return await addressesIn(context, 'sentinels')
}

async function addressesIn(context: EvidenceContext, layer: LayerName): Promise<readonly string[]> {
  const diagnosis = await context.evidence('diagnosis')
  if (diagnosis.kind !== 'known') return []
  const looked = diagnosis.value.layers.find(({ name, state }) => name === layer && state !== 'failed')
  const words = looked?.detail.split(/,? /) ?? []
  return words.map((word) => word.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')).filter((word) => isIP(word) !== 0)
}

async function boundHere(
  context: EvidenceContext,
  hosts: readonly string[],
): Promise<{ readonly host: string; readonly file: string } | undefined> {
  const conf = await context.evidence('redisConf')
  const bind = conf.kind === 'known' ? directive(conf.value, 'bind') : undefined
  if (bind === undefined) return undefined
  const bound = bindAddresses(bind.values)
  const host = hosts.find((one) => bound.some(({ address }) => sameAddress(address, one)))
  return host === undefined ? undefined : { host, file: bind.file }
}
