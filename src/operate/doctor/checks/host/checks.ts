/** The checks of the machine, in the order in which causes are looked for: why it does not start, then why it does not last. */
import type { DoctorCheck } from '../../check.ts'
import { bindListening } from './bind-listening.ts'
import { bindMissing } from './bind-missing.ts'
import { clockSource } from './clock-source.ts'
import { confDrift } from './conf-drift.ts'
import { cpuSteal } from './cpu-steal.ts'
import { dataDirectory } from './data-directory.ts'
import { diskSpace } from './disk-space.ts'
import { dockerGateways } from './docker-gateways.ts'
import { enabled } from './enabled.ts'
import { forkMemory } from './fork-memory.ts'
import { hugePages } from './huge-pages.ts'
import { ipv6Off } from './ipv6-off.ts'
import { memoryLimit } from './memory-limit.ts'
import { oomKills } from './oom-kills.ts'
import { openFiles } from './open-files.ts'
import { overcommit } from './overcommit.ts'
import { portTaken } from './port-taken.ts'
import { pressure } from './pressure.ts'
import { redisLog } from './redis-log.ts'
import { requiresDocker } from './requires-docker.ts'
import { somaxconn } from './somaxconn.ts'
import { startLimit } from './start-limit.ts'
import { swap } from './swap.ts'
import { twoServers } from './two-servers.ts'
import { unitState } from './unit-state.ts'

export const HOST_CHECKS: readonly DoctorCheck[] = [
  ipv6Off,
  bindMissing,
  portTaken,
  redisLog,
  unitState,
  bindListening,
  startLimit,
  requiresDocker,
  enabled,
  oomKills,
  diskSpace,
  dataDirectory,
  forkMemory,
  memoryLimit,
  swap,
  overcommit,
  openFiles,
  confDrift,
  hugePages,
  somaxconn,
  pressure,
  twoServers,
  dockerGateways,
  clockSource,
  cpuSteal,
]
