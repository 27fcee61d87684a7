/** Do tasks wait that nobody takes? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import type { Fields, QueueFacts } from '../../evidence/server-values.ts'
import { some } from '../words.ts'

/** How workers wait: Celery by BRPOP, BullMQ by BZPOPMIN or, in its older versions, BRPOPLPUSH. */
const WAITING = /^(brpop|blpop|brpoplpush|blmove|bzpopmin|bzpopmax|xreadgroup)$/i

export const queueWithoutWorkers: PlainCheck<'queues' | 'clients'> = {
  id: 'application.queue-without-workers',
  layer: 'application',
  title: 'queues of Celery and BullMQ, and their workers',
  why: 'When workers have lost their connection and do not say so, the queue is the only place where it shows.',
  severity: 'fail',
  needs: ['queues', 'clients'],
  judge: ({ queues, clients }) => {
    if (queues.length === 0) return nothingToJudge('There are no queues of Celery or BullMQ.')
    const stuck = queues.filter(
      (queue) => queue.waiting > 0 && queue.taken === 0 && workersAt(queue.database, clients) === 0,
    )
    const evidence = some(queues.map((queue) => queueText(queue, clients)))
    if (stuck.length === 0) return ok('Where tasks wait there are workers.', evidence)
    return [
      {
        state: 'fail',
        summary: `${stuck.map(({ name, waiting }) => `${waiting} tasks wait in ${name}`).join(', ')}, and no worker is there.`,
        evidence,
        fix: {
          text: 'Start the workers, or restart those that run: after a break of the connection some never come back by themselves.',
          commands: [
            'redis-cli CLIENT LIST',
            ...(stuck.some(({ kind }) => kind === 'celery') ? ['celery -A <app> inspect ping'] : []),
          ],
        },
      },
    ]
  },
}

function workersAt(database: number, clients: readonly Fields[]): number {
  return clients.filter((client) => Number(client.get('db')) === database && WAITING.test(client.get('cmd') ?? ''))
    .length
}

function queueText({ kind, name, database, waiting, taken, delayed }: QueueFacts, clients: readonly Fields[]): string {
  return `${kind} ${name} (db${database}): ${waiting} waiting, ${taken} taken, ${delayed} delayed, ${workersAt(database, clients)} workers waiting`
}
