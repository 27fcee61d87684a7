/** The checks about clients and what they ask. */
import type { DoctorCheck } from '../../check.ts'
import { blockedClients } from './blocked-clients.ts'
import { clientLimit } from './client-limit.ts'
import { costlyCommands } from './costly-commands.ts'
import { errorReplies } from './error-replies.ts'
import { hitRate } from './hit-rate.ts'
import { idleClients } from './idle-clients.ts'
import { keepAlive } from './keep-alive.ts'
import { latencyEvents } from './latency-events.ts'
import { quota } from './quota.ts'
import { rejectedConnections } from './rejected-connections.ts'
import { roundTrip } from './round-trip.ts'
import { slowCommands } from './slow-commands.ts'

export const TRAFFIC_CHECKS: readonly DoctorCheck[] = [
  quota,
  clientLimit,
  rejectedConnections,
  errorReplies,
  slowCommands,
  latencyEvents,
  roundTrip,
  hitRate,
  costlyCommands,
  blockedClients,
  idleClients,
  keepAlive,
]
