/** Does a Redis container come back by itself? */
import { isRedisService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const restart: PlainCheck<'composeServices'> = {
  id: 'application.restart',
  layer: 'application',
  title: 'restart policies of Redis containers',
  why: 'A container without a restart policy stays down after a crash, and after the next reboot of the machine.',
  severity: 'warn',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const redis = composeServices.filter(isRedisService)
    if (redis.length === 0) return nothingToJudge('The compose files have no Redis.')
    const without = redis.filter(({ restart: policy }) => policy === undefined || policy === 'no' || policy === 'false')
    if (without.length === 0) return ok('They come back by themselves.')
    return without.map(({ name, file }) => ({
      state: 'warn',
      summary: `Service ${name} stays down after a crash or a reboot.`,
      evidence: [`${file}: service ${name} has no restart policy`],
      fix: { text: 'Add `restart: unless-stopped`.' },
    }))
  },
}
