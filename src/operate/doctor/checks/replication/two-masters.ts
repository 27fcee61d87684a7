/** Is there one master, and does everybody mean the same? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'

export const twoMasters: DoctorCheck<'nodes', 'sentinels'> = {
  id: 'replication.two-masters',
  layer: 'replication',
  title: 'one master',
  why: 'Two masters take writes at the same time, and those of one of them are thrown away when it becomes a replica.',
  severity: 'fail',
  needs: ['nodes'],
  wants: ['sentinels'],
  judge: ({ nodes, sentinels = [] }) => {
    const named = [...new Set(sentinels.flatMap(({ master }) => master ?? []))]
    if (nodes.length < 2 && named.length < 2) return nothingToJudge('This server stands alone.')
    const masters = nodes.filter(({ info }) => info.get('role') === 'master')
    const evidence = [
      ...nodes.map(
        ({ place, info, unreached }) => `${place}: ${unreached === undefined ? info.get('role') : 'not reached'}`,
      ),
      ...sentinels.map(({ place, master }) => `sentinel ${place}: master ${master ?? 'not told'}`),
    ]
    if (masters.length < 2 && named.length < 2) return ok('There is one.', evidence)
    return [
      {
        state: 'fail',
        summary:
          masters.length > 1 ? `There are ${masters.length} masters.` : 'The sentinels do not agree on the master.',
        evidence,
        fix: {
          text: 'Seconds after a failover this passes. Else decide which one is right, and make the others replicas of it; what they took meanwhile is lost, so save it first.',
          commands: [
            'redis-cli -h <the wrong one> --rdb <file>',
            'redis-cli -h <the wrong one> REPLICAOF <master> <port>',
          ],
        },
        undo: { text: 'Make it a master again.', commands: ['redis-cli -h <it> REPLICAOF NO ONE'] },
      },
    ]
  },
}
