/** Does Redis throw keys out? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { told } from '../words.ts'

export const evictions: DoctorCheck<'trend', 'purposes'> = {
  id: 'memory.evictions',
  layer: 'memory',
  title: 'evicted keys',
  why: 'Of a cache eviction is the daily work; of a queue or of sessions every evicted key is a lost task or a user who is logged out.',
  severity: 'fail',
  needs: ['trend'],
  wants: ['purposes'],
  judge: ({ trend: { before, after, seconds }, purposes }) => {
    const total = numberIn(after, 'evicted_keys')
    if (!(total > 0)) return ok('None since the start.', told(after, 'evicted_keys', 'uptime_in_seconds'))
    const rate = (total - numberIn(before, 'evicted_keys')) / seconds
    const evidence = [...told(after, 'evicted_keys', 'maxmemory_policy'), `${Math.round(rate)} per second now`]
    const kept = purposes?.uses.filter(({ purpose }) => purpose !== 'cache' && purpose !== 'limits') ?? []
    const fix = {
      text: 'Raise maxmemory, or store less: shorter times to live, smaller values. Tasks and sessions belong into an instance with noeviction.',
      commands: ['redis-cli INFO memory', 'redis-cli CONFIG SET maxmemory <bytes>'],
    }
    if (kept.length > 0 && !(after.get('maxmemory_policy') ?? '').startsWith('volatile-'))
      return [
        {
          state: 'fail',
          summary: `Keys were evicted where ${[...new Set(kept.map(({ purpose }) => purpose))].join(', ')} live.`,
          evidence,
          fix,
        },
      ]
    return [
      {
        state: rate > 0 ? 'warn' : 'info',
        summary: rate > 0 ? 'Keys are being evicted.' : 'Keys have been evicted.',
        evidence,
        fix,
      },
    ]
  },
}
