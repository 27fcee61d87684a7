/** Does the kernel keep as many waiting connections as Redis asks for? */
import { setting } from '../../../host/redis-conf.ts'
import { ok, type DoctorCheck } from '../../check.ts'

const DEFAULT_BACKLOG = 511

export const somaxconn: DoctorCheck<'redisHere' | 'somaxconn', 'config' | 'redisConf'> = {
  id: 'host.somaxconn',
  layer: 'host',
  title: 'net.core.somaxconn against tcp-backlog',
  why: 'When all clients come back at once after an outage, those beyond the backlog are dropped and try again later.',
  severity: 'warn',
  needs: ['redisHere', 'somaxconn'],
  wants: ['config', 'redisConf'],
  judge: ({ somaxconn: limit, config, redisConf }) => {
    const text = config?.get('tcp-backlog') ?? (redisConf && setting(redisConf, 'tcp-backlog'))
    const backlog = text === undefined ? DEFAULT_BACKLOG : Number(text)
    const evidence = [`net.core.somaxconn ${limit}`, `tcp-backlog ${backlog}`]
    if (limit >= backlog) return ok('The whole backlog is granted.', evidence)
    return [
      {
        state: 'warn',
        summary: `The kernel keeps ${limit} waiting connections where Redis asks for ${backlog}.`,
        evidence,
        fix: {
          text: 'Raise it now and for every start; Redis takes it with its next start.',
          commands: [
            `sudo sysctl net.core.somaxconn=${Math.max(1024, backlog)}`,
            `echo 'net.core.somaxconn = ${Math.max(1024, backlog)}' | sudo tee /etc/sysctl.d/60-redis-somaxconn.conf`,
          ],
        },
        undo: {
          text: 'Take it back.',
          commands: ['sudo rm /etc/sysctl.d/60-redis-somaxconn.conf', `sudo sysctl net.core.somaxconn=${limit}`],
        },
      },
    ]
  },
}
