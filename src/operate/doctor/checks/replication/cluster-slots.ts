/** Does the cluster serve every slot? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { some, told } from '../words.ts'

const SLOTS = 16_384

export const clusterSlots: DoctorCheck<'cluster', 'clusterNodes'> = {
  id: 'replication.cluster-slots',
  layer: 'replication',
  title: 'slots of the cluster',
  why: 'With a single slot that nobody serves the whole cluster answers CLUSTERDOWN, by default.',
  severity: 'fail',
  needs: ['cluster'],
  wants: ['clusterNodes'],
  explains: ['cluster-down'],
  judge: ({ cluster, clusterNodes = [] }) => {
    const failing = clusterNodes.filter(({ flags }) => flags.some((flag) => flag.startsWith('fail')))
    const evidence = [
      ...told(
        cluster,
        'cluster_state',
        'cluster_slots_assigned',
        'cluster_slots_ok',
        'cluster_slots_pfail',
        'cluster_slots_fail',
        'cluster_known_nodes',
      ),
      ...some(failing.map(({ place, flags }) => `${place}: ${flags.join(', ')}`)),
    ]
    const served = numberIn(cluster, 'cluster_slots_ok')
    if (cluster.get('cluster_state') === 'ok' && served === SLOTS) return ok('All are served.', evidence)
    return [
      {
        state: cluster.get('cluster_state') === 'ok' ? 'warn' : 'fail',
        summary: `${SLOTS - served} slots are not served.`,
        evidence,
        fix: {
          text: 'Bring the failing nodes back, or let a replica take over; slots without an owner are given one by the fix.',
          commands: [
            'redis-cli --cluster check <host>:<port>',
            'redis-cli -h <replica> CLUSTER FAILOVER FORCE',
            'redis-cli --cluster fix <host>:<port>',
          ],
        },
      },
    ]
  },
}
