/** Can the addresses that the servers announce be reached from here? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const announcedAddresses: PlainCheck<'nodes'> = {
  id: 'replication.announced-addresses',
  layer: 'replication',
  title: 'announced addresses, from here',
  why: 'Behind Docker or NAT servers announce addresses that lead nowhere from outside: everything works until the first failover, and nothing after it.',
  severity: 'warn',
  needs: ['nodes'],
  judge: ({ nodes }) => {
    const [, ...others] = nodes
    if (others.length === 0) return nothingToJudge('This server stands alone.')
    const unreached = others.filter((node) => node.unreached !== undefined)
    const evidence = others.map(({ place, unreached: why }) => `${place}: ${why ?? 'answers'}`)
    if (unreached.length === 0) return ok('All answer.', evidence)
    return [
      {
        state: 'warn',
        summary: `${unreached.map(({ place }) => place).join(', ')} cannot be reached from here.`,
        evidence,
        fix: {
          text: 'Is the server down? Else let it announce an address that is good everywhere: replica-announce-ip and -port, for sentinels sentinel announce-ip and -port, for a cluster cluster-announce-ip and -port.',
          commands: ['redis-cli -h <server> CONFIG SET replica-announce-ip <address>'],
        },
      },
    ]
  },
}
