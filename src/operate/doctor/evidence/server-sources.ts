/** Where the evidence about the server comes from. */
import { known } from '../../evidence.ts'
import { denials, users } from './acl.ts'
import { certificate } from './certificate.ts'
import { clients } from './clients.ts'
import { cluster, clusterNodes } from './cluster.ts'
import { config } from './config.ts'
import type { Sources } from './context.ts'
import { diagnosis } from './diagnosis.ts'
import { info, trend } from './info.ts'
import { keys } from './keys.ts'
import { memoryStats } from './memory-stats.ts'
import { nodes } from './nodes.ts'
import { purposes } from './purposes.ts'
import { queues } from './queues.ts'
import { sentinels } from './sentinels.ts'
import type { ServerValues } from './server-values.ts'
import { latency, slowlog } from './slowness.ts'

export const SERVER_SOURCES: Sources<ServerValues> = {
  diagnosis,
  info,
  trend,
  config,
  users,
  denials,
  clients,
  slowlog,
  latency,
  memoryStats,
  keys,
  purposes,
  queues,
  certificate,
  nodes,
  sentinels,
  cluster,
  clusterNodes,
  now: { reads: 'the clock of this machine', collect: async ({ clock }) => known(clock.wallNow()) },
}
