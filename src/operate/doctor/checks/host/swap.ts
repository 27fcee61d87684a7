/** Is part of the data set swapped out? */
import { bytesText } from '../words.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const FAIL_SHARE = 0.05

export const swap: PlainCheck<'redisHere' | 'redisProcess'> = {
  id: 'host.swap',
  layer: 'host',
  title: 'memory of Redis in swap',
  why: 'A key that is swapped out is read from disk, and every client waits for it: Redis serves one at a time.',
  severity: 'fail',
  needs: ['redisHere', 'redisProcess'],
  explains: ['no-answer', 'silent', 'slow', 'handshake-timeout'],
  judge: ({ redisProcess: { swapBytes, rssBytes } }) => {
    if (Number.isNaN(swapBytes)) return nothingToJudge('The kernel does not say how much is swapped out.')
    const evidence = [`in memory ${bytesText(rssBytes)}, in swap ${bytesText(swapBytes)}`]
    if (swapBytes === 0) return ok('Nothing of it is swapped out.', evidence)
    return [
      {
        state: swapBytes > FAIL_SHARE * (swapBytes + rssBytes) ? 'fail' : 'warn',
        summary: `${bytesText(swapBytes)} of Redis are swapped out.`,
        evidence,
        fix: {
          text: 'Give the machine memory, or Redis a lower maxmemory; what else runs here should move. What is in swap comes back with a restart of Redis, or slowly by itself.',
          commands: ['free -m', 'redis-cli CONFIG SET maxmemory <bytes>'],
        },
      },
    ]
  },
}
