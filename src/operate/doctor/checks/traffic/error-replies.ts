/** Which errors has the server answered with? */
import { ok, type PlainCheck } from '../../check.ts'
import type { Fields } from '../../evidence/server-values.ts'
import { told } from '../words.ts'

/** Errors that stand for a state of the server, not for a slip of one application. */
const TELLING = [
  'OOM',
  'MISCONF',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'READONLY',
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'NOREPLICAS',
  'CLUSTERDOWN',
  'DENIED',
]

export const errorReplies: PlainCheck<'trend'> = {
  id: 'traffic.error-replies',
  layer: 'traffic',
  title: 'error replies since the start',
  why: 'What applications swallow or bury in their logs is counted here: the server remembers which errors it gave.',
  severity: 'warn',
  needs: ['trend'],
  judge: ({ trend: { before, after } }) => {
    const errors = TELLING.filter((name) => countOf(after, name) > 0)
    if (errors.length === 0) return ok('None that tells of a state of the server.', told(after, 'total_error_replies'))
    // NOPERM may be an answer to the doctor, who asks for what his user may not see.
    const rising = errors.filter((name) => name !== 'NOPERM' && countOf(after, name) > countOf(before, name))
    return [
      {
        state: rising.length > 0 ? 'warn' : 'info',
        summary:
          rising.length > 0
            ? `Clients are answered with ${rising.join(', ')} right now.`
            : `Clients were answered with ${errors.join(', ')} since the start.`,
        evidence: errors.map((name) => `${name}: ${countOf(after, name)} times`),
        fix: {
          text: 'The page about faults says of each what it means. Begin to count anew once it is mended.',
          commands: ['redis-cli INFO errorstats', 'redis-cli CONFIG RESETSTAT'],
        },
      },
    ]
  },
}

/** `errorstat_OOM:count=3`. */
function countOf(info: Fields, name: string): number {
  return Number(/count=(\d+)/.exec(info.get(`errorstat_${name}`) ?? '')?.[1] ?? 0)
}
