/** Does more than one Redis run here? */
import { ok, type PlainCheck } from '../../check.ts'

export const twoServers: PlainCheck<'redisHere' | 'redisProcesses'> = {
  id: 'host.two-servers',
  layer: 'host',
  title: 'Redis servers on this machine',
  why: 'Two servers, one of the system and one in a container, are mixed up sooner or later: the application writes to one and somebody looks into the other.',
  severity: 'info',
  needs: ['redisHere', 'redisProcesses'],
  judge: ({ redisProcesses }) => {
    const evidence = redisProcesses.map(({ pid, name }) => `${name}, process ${pid}`)
    if (redisProcesses.length < 2) return ok('There is one at most.', evidence)
    return [
      {
        state: 'info',
        summary: `${redisProcesses.length} Redis servers run on this machine.`,
        evidence,
        fix: {
          text: 'Nothing, if all of them are meant to: nodes of a cluster, one for the cache and one for the queue. Else stop what nobody needs.',
          commands: ['ps -o pid,ppid,user,args -C redis-server,valkey-server'],
        },
      },
    ]
  },
}
