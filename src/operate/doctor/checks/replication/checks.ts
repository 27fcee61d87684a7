/** The checks about replicas, sentinels and clusters. */
import type { DoctorCheck } from '../../check.ts'
import { announcedAddresses } from './announced-addresses.ts'
import { backlog } from './backlog.ts'
import { clusterReplicas } from './cluster-replicas.ts'
import { clusterSlots } from './cluster-slots.ts'
import { lag } from './lag.ts'
import { link } from './link.ts'
import { masterPassword } from './master-password.ts'
import { minReplicas } from './min-replicas.ts'
import { quorum } from './quorum.ts'
import { replicaPlace } from './replica-place.ts'
import { sentinelCount } from './sentinel-count.ts'
import { sentinelState } from './sentinel-state.ts'
import { twoMasters } from './two-masters.ts'

export const REPLICATION_CHECKS: readonly DoctorCheck[] = [
  clusterSlots,
  link,
  twoMasters,
  quorum,
  minReplicas,
  masterPassword,
  sentinelState,
  sentinelCount,
  announcedAddresses,
  lag,
  backlog,
  replicaPlace,
  clusterReplicas,
]
