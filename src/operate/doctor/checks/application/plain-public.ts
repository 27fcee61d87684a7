/** Do passwords and data cross the open network in clear? */
import { isIP } from 'node:net'
import { isPrivate } from '../../../host/addresses.ts'
import type { RedisUse } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { usesIn } from './uses.ts'

export const plainPublic: DoctorCheck<'redisApplication', 'composeServices' | 'envFiles'> = {
  id: 'application.plain-public',
  layer: 'application',
  title: 'TLS to public addresses',
  why: 'Without TLS everybody on the way reads the password, and the data.',
  severity: 'warn',
  needs: ['redisApplication'],
  wants: ['composeServices', 'envFiles'],
  judge: (files) => {
    const uses = usesIn(files)
    if (uses.length === 0) return nothingToJudge('No variable names a Redis.')
    const open = uses.filter((use) => !use.tls && isPublic(use))
    if (open.length === 0) return ok('None of them is at a public address without TLS.')
    return open.map(({ name, host, port }) => ({
      state: 'warn',
      summary: `${name} leads to a public address without TLS.`,
      evidence: [`${host}:${port}`],
      fix: {
        text: 'Write `rediss://` where the server offers TLS (most hosted ones do), else go through a private network or a tunnel.',
      },
    }))
  },
}

/** A name with a dot may be public or not; addresses say it themselves, and hosted offers have known names. */
function isPublic({ host }: RedisUse): boolean {
  if (isIP(host) !== 0) return !isPrivate(host)
  return /\.(upstash\.io|redislabs\.com|redis-cloud\.com|cache\.windows\.net|aivencloud\.com|db\.ondigitalocean\.com)$/i.test(
    host,
  )
}
