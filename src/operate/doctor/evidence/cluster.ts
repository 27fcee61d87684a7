/** What one node says of its cluster. */
import { mapped, notAvailable } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfInfo } from './fields.ts'
import type { ClusterNode, ServerValues } from './server-values.ts'

const NO_CLUSTER = 'this server is no node of a cluster'

export const cluster: EvidenceSource<ServerValues['cluster']> = {
  reads: 'CLUSTER INFO',
  commands: ['cluster|info'],
  collect: async ({ server, evidence }) => {
    const info = await evidence('info')
    if (info.kind !== 'known') return info
    if (info.value.get('cluster_enabled') !== '1') return notAvailable(NO_CLUSTER)
    return mapped(await server.ask('CLUSTER', 'INFO'), fieldsOfInfo)
  },
}

export const clusterNodes: EvidenceSource<ServerValues['clusterNodes']> = {
  reads: 'CLUSTER NODES',
  commands: ['cluster|nodes'],
  collect: async ({ server, evidence }) => {
    const info = await evidence('info')
    if (info.kind !== 'known') return info
    if (info.value.get('cluster_enabled') !== '1') return notAvailable(NO_CLUSTER)
    return mapped(await server.ask('CLUSTER', 'NODES'), (reply) =>
      String(reply).split('\n').filter(Boolean).map(nodeOf),
    )
  },
}

/** `<id> 10.0.0.1:6379@16379,host flags <master id or -> 0 0 1 connected 0-5460 …`. */
export function nodeOf(line: string): ClusterNode {
  const [id = '', place = '', flags = '', master = '-', , , , link = '', ...slots] = line.trim().split(' ')
  return {
    id,
    place: place.replace(/@.*$/, ''),
    flags: flags.split(','),
    master: master === '-' ? undefined : master,
    connected: link === 'connected',
    slots: slots.filter((range) => !range.startsWith('[')).reduce((sum, range) => sum + sizeOf(range), 0),
  }
}

function sizeOf(range: string): number {
  const [first = 0, last = first] = range.split('-').map(Number)
  return last - first + 1
}
