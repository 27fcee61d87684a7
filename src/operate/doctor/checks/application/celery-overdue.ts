/** Are there tasks that a worker of Celery took and never finished? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const celeryOverdue: PlainCheck<'queues'> = {
  id: 'application.celery-overdue',
  layer: 'application',
  title: 'unacknowledged tasks of Celery',
  why: 'A task that was taken longer ago than the visibility timeout (one hour by default) is given to another worker: it runs twice, or it is one whose worker has died.',
  severity: 'warn',
  needs: ['queues'],
  judge: ({ queues }) => {
    const celery = queues.filter(({ kind }) => kind === 'celery')
    if (celery.length === 0) return nothingToJudge('There is no queue of Celery.')
    const overdue = celery.reduce((sum, queue) => sum + queue.overdue, 0)
    const evidence = celery.map(
      ({ database, taken, overdue: late }) => `db${database}: ${taken} unacknowledged, ${late} for more than an hour`,
    )
    if (overdue === 0) return ok('None is older than an hour.', evidence)
    return [
      {
        state: 'warn',
        summary: `${overdue} tasks were taken more than an hour ago and are not finished.`,
        evidence,
        fix: {
          text: 'Is a worker still at them? Then raise visibility_timeout above the longest task, or they run twice. Else a worker has died: a running one gives them out again.',
          commands: ['celery -A <app> inspect active', 'redis-cli -n <database> ZRANGE unacked_index 0 5 WITHSCORES'],
        },
      },
    ]
  },
}
