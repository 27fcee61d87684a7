/** What client libraries and queues write about Redis when the words carry no error of the server or the system. */
import type { LogSign } from './sign.ts'

export const CLIENT_SIGNS: readonly LogSign[] = [
  {
    code: 'queue-evicts',
    service: 'redis',
    weight: 'fail',
    patterns: [/Eviction policy is \S+\. It should be "?noeviction/i],
    meaning: 'The queue (BullMQ) runs on a Redis that may throw its jobs away when memory is full.',
    nextStep:
      'Give the queue an instance of its own with `maxmemory-policy noeviction`: one policy holds for a whole instance, not per database.',
    checks: ['application.policy-role', 'memory.policy'],
  },
  {
    code: 'retries-used-up',
    service: 'redis',
    weight: 'fail',
    patterns: [/MaxRetriesPerRequestError|Reached the max retries per request limit/i],
    meaning: 'ioredis gave a command up after its retries: Redis was away for longer than they last.',
    nextStep:
      'The errors of the connection in the same log say why Redis was away; `evenkeel check` says whether it is now.',
    checks: ['host.unit-state', 'host.bind-listening'],
  },
  {
    code: 'queue-options',
    service: 'redis',
    weight: 'fail',
    patterns: [/Your redis options maxRetriesPerRequest must be null/i],
    meaning:
      'BullMQ refuses the connection it was given: its blocking commands may not be retried or given up by the client.',
    nextStep: 'Give BullMQ a connection of its own with `maxRetriesPerRequest: null`.',
    checks: [],
  },
  {
    code: 'job-stalled',
    service: 'redis',
    weight: 'warn',
    patterns: [/job stalled more than allowable limit/i, /Missing lock for job \S+/i, /could not renew lock for job/i],
    meaning: 'A worker lost the lock of its job: it was too busy to renew it, Redis was away, or evicted the lock.',
    nextStep:
      'Compare the time with outages of Redis and with the load of the worker; jobs that ran twice must bear it.',
    checks: ['application.policy-role', 'memory.policy', 'memory.evictions'],
  },
  {
    code: 'unhandled-error-event',
    service: 'redis',
    weight: 'warn',
    patterns: [/\[ioredis\] Unhandled error event:?\s*$/i, /\[ioredis\] Unhandled error event: Error:?\s*$/i],
    meaning: 'Nobody listens to the errors of this Redis client; what went wrong stands in the lines that follow.',
    nextStep: "Add `client.on('error', ...)` and log the error with its cause.",
    checks: [],
  },
  {
    code: 'aggregate-error',
    service: 'redis',
    weight: 'fail',
    patterns: [/\bAggregateError\b(?!.*E[A-Z]{4,})/],
    meaning:
      'Several addresses of one name were tried and none answered; the words of each stand inside the error, not in its message.',
    nextStep: 'Log `error.errors` too. `evenkeel check` tries every address and shows what each of them said.',
    checks: ['host.bind-listening', 'host.unit-state'],
  },
  {
    code: 'not-connected',
    service: 'redis',
    weight: 'fail',
    patterns: [
      /Stream isn't writeable and enableOfflineQueue options is false/i,
      /\bClientOfflineError\b|The client is (?:closed|offline)/i,
      /Error: Connection is closed\.|\bClientClosedError\b/i,
    ],
    meaning: 'A command was given to a client that had no connection.',
    nextStep: 'The errors before it say why the connection was lost; `evenkeel check` says whether Redis serves now.',
    checks: ['host.unit-state', 'host.bind-listening'],
  },
  {
    code: 'pool-empty',
    service: 'redis',
    weight: 'fail',
    patterns: [
      /redis\.exceptions\.(?:MaxConnectionsError|ConnectionError): (?:Too many connections|No connection available)/i,
    ],
    meaning: "The client's own pool has no connection left: more calls wait for Redis than it has connections.",
    nextStep:
      'Look for connections that are not given back (pubsub, pipelines, blocking pops), then raise `max_connections`.',
    checks: ['traffic.client-limit', 'traffic.blocked-clients'],
  },
  {
    code: 'no-answer',
    service: 'redis',
    weight: 'fail',
    patterns: [
      /Timeout reading from \S+/i,
      /Error: Command timed out\b/i,
      /\bCommandTimeoutError\b|RedisCommandTimeoutException|StackExchange\.Redis\.RedisTimeoutException/i,
      /redis\.exceptions\.TimeoutError/i,
    ],
    meaning: 'Redis accepted the connection, and an answer did not come in the time that the client grants.',
    nextStep:
      'Either Redis was busy (`redis-cli SLOWLOG GET`, `LATENCY DOCTOR`, swap), or packets were lost on the way; a longer timeout makes callers wait longer and mends nothing.',
    checks: [
      'traffic.slow-commands',
      'traffic.latency-events',
      'host.swap',
      'host.huge-pages',
      'persistence.append-only-delays',
    ],
  },
  {
    code: 'broker-lost',
    service: 'redis',
    weight: 'fail',
    patterns: [
      /consumer: Connection to broker lost/i,
      /Cannot connect to rediss?:\/\/.*Trying again in/i,
      /kombu\.exceptions\.OperationalError(?!.*Error -?\d+)/,
    ],
    meaning: 'Celery has no connection to its broker: tasks are neither taken nor handed out.',
    nextStep:
      '`evenkeel check` with CELERY_BROKER_URL says why. What was started meanwhile must be handed out again from the database.',
    checks: ['host.unit-state', 'host.bind-listening', 'persistence.none-for-queue'],
  },
]
