/** The checks of what applications keep in Redis, what they are told, and how their containers are set up. */
import type { DoctorCheck } from '../../check.ts'
import { bullmqFinishedJobs } from './bullmq-finished-jobs.ts'
import { celeryOverdue } from './celery-overdue.ts'
import { containerMemory } from './container-memory.ts'
import { envReadable } from './env-readable.ts'
import { failedJobs } from './failed-jobs.ts'
import { healthCheck } from './health-check.ts'
import { hostGateway } from './host-gateway.ts'
import { imageVersion } from './image-version.ts'
import { localhost } from './localhost.ts'
import { masterauth } from './masterauth.ts'
import { plainPublic } from './plain-public.ts'
import { policyRole } from './policy-role.ts'
import { publishedPort } from './published-port.ts'
import { publishedSecret } from './published-secret.ts'
import { queueWithoutWorkers } from './queue-without-workers.ts'
import { restart } from './restart.ts'
import { secretInCompose } from './secret-in-compose.ts'
import { sentinelCount } from './sentinel-count.ts'
import { sentinelFile } from './sentinel-file.ts'
import { sharedInstance } from './shared-instance.ts'
import { volume } from './volume.ts'

export const APPLICATION_CHECKS: readonly DoctorCheck[] = [
  queueWithoutWorkers,
  celeryOverdue,
  bullmqFinishedJobs,
  failedJobs,
  localhost,
  hostGateway,
  publishedPort,
  publishedSecret,
  policyRole,
  sentinelFile,
  sentinelCount,
  masterauth,
  containerMemory,
  sharedInstance,
  volume,
  restart,
  healthCheck,
  plainPublic,
  secretInCompose,
  envReadable,
  imageVersion,
]
