/** Do the finished jobs of BullMQ fill the memory? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { KeySample, QueueFacts } from '../../evidence/server-values.ts'
import { bytesText, some } from '../words.ts'

const MANY = 10_000
const SHARE = 0.1

export const bullmqFinishedJobs: DoctorCheck<'queues' | 'info', 'keys'> = {
  id: 'application.bullmq-finished-jobs',
  layer: 'application',
  title: 'finished jobs that BullMQ keeps',
  why: 'By default BullMQ keeps every finished job for ever: memory fills up until every call is answered with OOM, while PING says all is well.',
  severity: 'warn',
  needs: ['queues', 'info'],
  wants: ['keys'],
  judge: ({ queues, info, keys }) => {
    const bullmq = queues.filter(({ kind }) => kind === 'bullmq')
    if (bullmq.length === 0) return nothingToJudge('There is no queue of BullMQ.')
    const finished = bullmq.reduce((sum, queue) => sum + queue.completed + queue.failed, 0)
    const bytes = finished * bytesPerJob(keys)
    const share = bytes / numberIn(info, 'used_memory')
    const evidence = [
      ...some(bullmq.map(queueText)),
      ...(bytes > 0
        ? [`about ${bytesText(Math.round(bytes))}, ${Math.round(share * 100)} % of the memory, by the sampled jobs`]
        : []),
    ]
    if (finished < MANY && !(share > SHARE && finished > MANY / 10)) return ok('Few.', evidence)
    return [
      {
        state: 'warn',
        summary: `${finished} finished jobs are kept.`,
        evidence,
        fix: {
          text: 'Let BullMQ forget: removeOnComplete and removeOnFail with an age or a count, in the defaultJobOptions of the queue. What is there already goes by queue.clean().',
          commands: ["node -e \"new (require('bullmq').Queue)('<queue>').clean(86400000, 10000, 'completed')\""],
        },
      },
    ]
  },
}

/** By the jobs of the sample: hashes `bull:<queue>:<id>`. */
function bytesPerJob(keys: KeySample | undefined): number {
  const jobs = (keys?.databases ?? []).flatMap(({ sampled }) =>
    sampled.filter(({ name, type }) => type === 'hash' && /^bull:[^:]+:[^:]+$/.test(name) && !name.endsWith(':meta')),
  )
  return jobs.length === 0 ? 0 : jobs.reduce((sum, { bytes }) => sum + bytes, 0) / jobs.length
}

function queueText({ name, completed, failed }: QueueFacts): string {
  return `${name}: ${completed} completed, ${failed} failed`
}
