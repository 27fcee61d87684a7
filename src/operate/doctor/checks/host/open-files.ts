/** May Redis open as many files as it is to have clients? */
import { setting } from '../../../host/redis-conf.ts'
import { numberIn } from '../../evidence/fields.ts'
import { ok, type DoctorCheck } from '../../check.ts'

/** Redis keeps these for itself, and lowers maxclients by what is missing. */
const RESERVED = 32
const DEFAULT_MAX_CLIENTS = 10_000

export const openFiles: DoctorCheck<'redisHere' | 'redisProcess' | 'config', 'redisConf'> = {
  id: 'host.open-files',
  layer: 'host',
  title: 'the limit of open files against maxclients',
  why: 'Redis lowers maxclients in silence when it may not open enough files; the first to notice are clients that are turned away.',
  severity: 'warn',
  needs: ['redisHere', 'redisProcess', 'config'],
  wants: ['redisConf'],
  explains: ['max-clients'],
  judge: ({ redisProcess, config, redisConf }) => {
    const running = numberIn(config, 'maxclients')
    const written = redisConf === undefined ? undefined : setting(redisConf, 'maxclients')
    const wanted = Math.max(
      running,
      written === undefined ? ((redisConf && DEFAULT_MAX_CLIENTS) ?? 0) : Number(written),
    )
    const limit = redisProcess.openFilesLimit
    const evidence = [`open files ${limit}`, `maxclients ${running} in the running server, ${wanted} wanted`]
    if (!(limit < wanted + RESERVED)) return ok('It may open files enough.', evidence)
    return [
      {
        state: 'warn',
        summary: `Redis may open ${limit} files, too few for ${wanted} clients.`,
        evidence,
        fix: {
          text: 'Raise the limit of the unit (a drop-in) or of the container (`ulimits: nofile`), or lower maxclients to what is needed.',
          commands: [
            'sudo systemctl edit redis-server   # [Service] LimitNOFILE=65535',
            'sudo systemctl restart redis-server',
          ],
        },
      },
    ]
  },
}
