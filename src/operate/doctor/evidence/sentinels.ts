/** What each sentinel says of the master, of the others, and of itself. */
import { showAddress, type Address, type Reply } from '../../../link/index.ts'
import { known, mapped, notAvailable, valueOr, type Evidence } from '../../evidence.ts'
import type { Server } from '../server.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfPairs, itemsOf } from './fields.ts'
import type { SentinelFacts, ServerValues } from './server-values.ts'

const SHARE_OF_TIME = 0.5

export const sentinels: EvidenceSource<ServerValues['sentinels']> = {
  reads: 'SENTINEL MASTER, SENTINELS, REPLICAS, CKQUORUM, FLUSHCONFIG of every sentinel',
  collect: async ({ target, serverAt, remainingMs }) => {
    const { topology, addresses, master = '', sentinelCredentials } = target.endpoint
    if (topology !== 'sentinel') return notAvailable('the URL names no sentinels')
    const options = { withinMs: remainingMs * SHARE_OF_TIME, credentials: sentinelCredentials }
    return known(await Promise.all(addresses.map((address) => lookAt(address, serverAt(address, options), master))))
  },
}

async function lookAt(address: Address, server: Server, name: string): Promise<SentinelFacts> {
  const [master, others, replicas, quorum] = await Promise.all([
    server.ask('SENTINEL', 'MASTER', name),
    server.ask('SENTINEL', 'SENTINELS', name),
    server.ask('SENTINEL', 'REPLICAS', name),
    server.ask('SENTINEL', 'CKQUORUM', name),
  ])
  // It writes what it has in memory, as the sentinel does by itself after every change.
  const flushed = await server.ask('SENTINEL', 'FLUSHCONFIG')
  const fields = valueOr(mapped(master, fieldsOfPairs), new Map<string, string>())
  const host = fields.get('ip')
  return {
    place: showAddress(address),
    unreached: master.kind === 'known' ? undefined : master.detail,
    master: host === undefined ? undefined : `${host}:${fields.get('port')}`,
    fields,
    others: placesIn(others),
    replicas: placesIn(replicas),
    quorum: wordsOf(quorum),
    flushed: wordsOf(flushed),
  }
}

function placesIn(reply: Evidence<Reply>): readonly string[] {
  return valueOr(mapped(reply, itemsOf), []).map((item) => {
    const told = fieldsOfPairs(item)
    return `${told.get('ip')}:${told.get('port')}`
  })
}

function wordsOf(reply: Evidence<unknown>): string {
  return reply.kind === 'known' ? String(reply.value) : reply.detail
}
