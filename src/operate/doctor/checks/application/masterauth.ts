/** Can the old master come back as a replica? */
import { commandSetting, isRedisService, isSentinelService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const masterauth: PlainCheck<'composeServices'> = {
  id: 'application.masterauth',
  layer: 'application',
  title: 'masterauth on every node of a compose file',
  why: 'After a failover the old master is a replica. Without masterauth it cannot log in to the new one and stays without data for ever.',
  severity: 'fail',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const nodes = composeServices.filter((service) => isRedisService(service) && !isSentinelService(service))
    const replicas = nodes.filter((service) =>
      ['replicaof', 'slaveof'].some((name) => commandSetting(service, name) !== undefined),
    )
    if (replicas.length === 0) return nothingToJudge('The compose files have no replica.')
    const guarded = nodes.filter((service) => commandSetting(service, 'requirepass') !== undefined)
    const without = guarded.filter((service) => commandSetting(service, 'masterauth') === undefined)
    if (without.length === 0) return ok('Every node with a password can log in to every other one.')
    return without.map(({ name, file }) => ({
      state: 'fail',
      summary: `Service ${name} has a password and no masterauth: as a replica it cannot log in to its master.`,
      evidence: [`${file}: service ${name}`],
      fix: {
        text: 'Give every node masterauth with the password of requirepass, the master too: in a file that its configuration includes, not on the command line.',
      },
    }))
  },
}
