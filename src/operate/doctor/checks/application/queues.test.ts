import { test } from 'node:test'
import { assertTable } from '../../../../../test/support/doctor-table.ts'
import type { QueueFacts } from '../../evidence/server-values.ts'
import { bullmqFinishedJobs } from './bullmq-finished-jobs.ts'
import { celeryOverdue } from './celery-overdue.ts'
import { failedJobs } from './failed-jobs.ts'
import { queueWithoutWorkers } from './queue-without-workers.ts'

function queue(changes: Partial<QueueFacts>): QueueFacts {
  const counts = { waiting: 0, taken: 0, overdue: 0, delayed: 0, completed: 0, failed: 0 }
  return { kind: 'bullmq', name: 'emails', database: 1, ...counts, ...changes }
}

test('application.queue-without-workers looks for workers in the database of the queue', () => {
  const worker = { db: 1, cmd: 'bzpopmin' }
  assertTable(queueWithoutWorkers, [
    [{ queues: [], clients: [] }, 'not-applicable'],
    [{ queues: [queue({ waiting: 3 })], clients: [worker] }, 'ok'],
    [{ queues: [queue({ waiting: 3 })], clients: [{ ...worker, db: 0 }] }, 'fail', /3 tasks wait in emails/],
    [{ queues: [queue({ waiting: 3, taken: 1 })], clients: [] }, 'ok'],
    [{ queues: [queue({ kind: 'celery', waiting: 3 })], clients: [{ db: 1, cmd: 'brpop' }] }, 'ok'],
  ])
})

test('application.celery-overdue', () => {
  assertTable(celeryOverdue, [
    [{ queues: [queue({})] }, 'not-applicable'],
    [{ queues: [queue({ kind: 'celery', taken: 3 })] }, 'ok'],
    [{ queues: [queue({ kind: 'celery', taken: 3, overdue: 2 })] }, 'warn', /db1: 3 unacknowledged, 2 for more/],
  ])
})

test('application.bullmq-finished-jobs weighs them by the sampled ones', () => {
  const job = { name: 'bull:emails:7', type: 'hash', ttlMs: undefined, bytes: 1000, length: undefined }
  const keys = { databases: [{ database: 1, keys: 1, expires: 0, sampled: [job] }] }
  const info = { used_memory: 10_000_000 }
  assertTable(bullmqFinishedJobs, [
    [{ queues: [queue({ kind: 'celery' })], info }, 'not-applicable'],
    [{ queues: [queue({ completed: 9999 })], info }, 'ok'],
    [{ queues: [queue({ completed: 9999, failed: 1 })], info }, 'warn', /10000 finished jobs/],
    [{ queues: [queue({ completed: 2000 })], info, keys }, 'warn', /20 % of the memory/],
    [{ queues: [queue({ completed: 900 })], info, keys }, 'ok'],
  ])
})

test('application.failed-jobs', () => {
  assertTable(failedJobs, [
    [{ queues: [queue({})] }, 'ok'],
    [{ queues: [queue({ failed: 2 })] }, 'info', /2 jobs have failed/],
    [{ queues: [] }, 'not-applicable'],
  ])
})
