/** How near is the server to its limit of memory? */
import { nothingToJudge, ok, type Outcome, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText } from '../words.ts'

const WARN_SHARE = 0.8
const FAIL_SHARE = 0.9

export const headroom: PlainCheck<'info'> = {
  id: 'memory.headroom',
  layer: 'memory',
  title: 'used memory against maxmemory',
  why: 'At the limit Redis evicts what the policy allows, or refuses every write with OOM.',
  severity: 'fail',
  needs: ['info'],
  explains: ['out-of-memory'],
  judge: ({ info }) => {
    const used = numberIn(info, 'used_memory')
    const limit = numberIn(info, 'maxmemory')
    if (!(limit > 0)) return nothingToJudge('There is no limit (maxmemory 0).')
    const share = used / limit
    const evidence = [
      `used_memory ${bytesText(used)}, maxmemory ${bytesText(limit)}: ${Math.round(share * 100)} %`,
      `maxmemory_policy ${info.get('maxmemory_policy') ?? 'not told'}`,
    ]
    if (!(share >= WARN_SHARE)) return ok('There is room.', evidence)
    return [full(share, evidence)]
  },
}

function full(share: number, evidence: readonly string[]): Outcome {
  return {
    state: share >= FAIL_SHARE ? 'fail' : 'warn',
    summary: share >= 1 ? 'Memory is used up.' : 'Memory is nearly used up.',
    evidence,
    fix: {
      text: 'See what takes it, give keys a time to live, or raise the limit within what the machine has.',
      commands: ['redis-cli --memkeys', 'redis-cli CONFIG SET maxmemory <bytes>'],
    },
  }
}
