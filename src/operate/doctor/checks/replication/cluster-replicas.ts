/** Does every master of the cluster have somebody to take over? */
import { ok, type PlainCheck } from '../../check.ts'
import { some } from '../words.ts'

export const clusterReplicas: PlainCheck<'clusterNodes'> = {
  id: 'replication.cluster-replicas',
  layer: 'replication',
  title: 'replicas of the masters of the cluster',
  why: 'When a master without a replica fails its slots are gone, and with them, by default, the whole cluster.',
  severity: 'warn',
  needs: ['clusterNodes'],
  judge: ({ clusterNodes }) => {
    const well = clusterNodes.filter(({ flags }) => !flags.some((flag) => flag.startsWith('fail')))
    const masters = well.filter(({ flags, slots }) => flags.includes('master') && slots > 0)
    const alone = masters.filter(({ id }) => !well.some(({ master }) => master === id))
    const evidence = some(
      masters.map(
        ({ id, place, slots }) =>
          `${place}: ${slots} slots, ${well.filter(({ master }) => master === id).length} replicas`,
      ),
    )
    if (alone.length === 0) return ok('Every one has.', evidence)
    return [
      {
        state: 'warn',
        summary: `${alone.length} of ${masters.length} masters have no replica.`,
        evidence,
        fix: {
          text: 'Add a replica to each, on another machine.',
          commands: [
            'redis-cli --cluster add-node <new host>:<port> <any node>:<port> --cluster-slave --cluster-master-id <id>',
          ],
        },
        undo: { text: 'Take it out again.', commands: ['redis-cli --cluster del-node <any node>:<port> <id>'] },
      },
    ]
  },
}
