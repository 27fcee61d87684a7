/** Is somebody turned away again and again? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { Denial } from '../../evidence/server-values.ts'
import { durationText, some, told } from '../words.ts'

const LOGINS = 'acl_access_denied_auth'
const COUNTERS = [LOGINS, 'acl_access_denied_cmd', 'acl_access_denied_key', 'acl_access_denied_channel']

export const deniedLogins: DoctorCheck<'trend', 'denials'> = {
  id: 'security.denied-logins',
  layer: 'security',
  title: 'denied logins and commands',
  why: 'It is an application with an old password, one whose user may too little, or somebody who tries passwords.',
  severity: 'warn',
  needs: ['trend'],
  wants: ['denials'],
  explains: ['no-permission'],
  judge: ({ trend: { before, after }, denials = [] }) => {
    const counted = COUNTERS.filter((name) => numberIn(after, name) > 0)
    // Of commands some may be our own, asked as a user who may not: those are no news.
    const rising = numberIn(after, LOGINS) > numberIn(before, LOGINS)
    const evidence = [...told(after, ...counted), ...some(denials.map(denialText))]
    if (counted.length === 0 && denials.length === 0) return ok('Nobody was turned away.')
    return [
      {
        state: rising || denials.some(({ secondsAgo }) => secondsAgo < RECENT_S) ? 'warn' : 'info',
        summary: rising ? 'Somebody is being turned away right now.' : 'Somebody was turned away.',
        evidence,
        fix: {
          text: 'See who it is and from where, then mend the password or the rights of that user.',
          commands: [
            'redis-cli ACL LOG 10',
            'redis-cli ACL DRYRUN <user> <command> <arguments>   # Redis 7.0 and later',
            'redis-cli ACL LOG RESET',
          ],
        },
      },
    ]
  },
}

const RECENT_S = 3600

function denialText({ reason, user, count, secondsAgo }: Denial): string {
  return `${count} × ${reason}, user ${user}, last ${durationText(secondsAgo)} ago`
}
