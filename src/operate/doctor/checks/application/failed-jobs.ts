/** Do jobs fail for good? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { some } from '../words.ts'

export const failedJobs: PlainCheck<'queues'> = {
  id: 'application.failed-jobs',
  layer: 'application',
  title: 'failed jobs of BullMQ',
  why: 'A job that failed for good is work that was promised and not done; nobody looks there unless told.',
  severity: 'info',
  needs: ['queues'],
  judge: ({ queues }) => {
    const bullmq = queues.filter(({ kind }) => kind === 'bullmq')
    if (bullmq.length === 0) return nothingToJudge('There is no queue of BullMQ.')
    const failing = bullmq.filter(({ failed }) => failed > 0)
    const evidence = some(failing.map(({ name, failed }) => `${name}: ${failed} failed`))
    if (failing.length === 0) return ok('None.')
    return [
      {
        state: 'info',
        summary: `${failing.reduce((sum, { failed }) => sum + failed, 0)} jobs have failed for good.`,
        evidence,
        fix: {
          text: 'Read why (failedReason of the job), mend it, and try them again by job.retry().',
          commands: ['redis-cli ZRANGE bull:<queue>:failed 0 5', 'redis-cli HGET bull:<queue>:<id> failedReason'],
        },
      },
    ]
  },
}
