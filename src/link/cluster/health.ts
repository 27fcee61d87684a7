/**
 * The health of a whole cluster out of that of its nodes: up when every slot is served by a node that is up, else as bad
 * as the worst of them. What still works is told beside it: calls to the healthy nodes go on.
 */
import type { Reason } from '../../errors.ts'
import { CLUSTER } from '../faults/cluster.ts'
import { LINK_FAULTS, reasonOf } from '../faults.ts'
import type { Capabilities, HealthState, LinkHealth } from '../health.ts'
import { SLOTS } from '../commands/key-slot.ts'

/** A node and how many slots it serves. */
export interface NodeCondition {
  readonly name: string
  readonly slots: number
  readonly health: LinkHealth
}

export interface ClusterCondition {
  /** The masters in the map; empty before the first map. */
  readonly masters: readonly NodeCondition[]
  /** Nodes that are asked for the map; they count only while there is none. */
  readonly scouts: readonly NodeCondition[]
  /** Slots that the map gives to nobody. */
  readonly uncovered: number
  /** Why no map could be had although a node answers. */
  readonly mapFailure: Reason | undefined
}

export type HealthWithoutTime = Omit<LinkHealth, 'since'>

/** From the worst to the best. */
const SEVERITY: readonly HealthState[] = [
  'closed',
  'isolated',
  'misconfigured',
  'down',
  'over-quota',
  'not-ready',
  'connecting',
  'recovering',
  'brownout',
  'write-blocked',
  'up',
]
const NOTHING: Capabilities = { read: false, write: false, publish: false }

export function healthOfCluster(condition: ClusterCondition): HealthWithoutTime {
  const { masters, uncovered } = condition
  if (masters.length === 0) return withoutMap(condition)
  const can = masters.map(({ health }) => health.can).reduce(either, NOTHING)
  const ill = masters.filter(({ health }) => health.state !== 'up').toSorted(bySeverity)
  const [worst] = ill
  if (worst === undefined && uncovered === 0) return { state: 'up', reason: reasonOf(LINK_FAULTS.connected), can }
  const detail = `${uncovered} of ${SLOTS} slots are served by no node`
  const gap = { state: 'not-ready', reason: reasonOf(CLUSTER.clusterDown, detail), can } as const
  if (worst === undefined || (uncovered > 0 && rank(worst.health.state) > rank(gap.state))) return gap
  return { state: worst.health.state, reason: reasonNaming(worst, ill.length - 1), can }
}

/** No map yet: one scout is enough to get one, so the best of them counts. */
function withoutMap({ scouts, mapFailure }: ClusterCondition): HealthWithoutTime {
  const best = scouts.toSorted(bySeverity).at(-1)
  if (mapFailure !== undefined) return { state: 'misconfigured', reason: mapFailure, can: NOTHING }
  if (best === undefined || rank(best.health.state) >= rank('connecting'))
    return { state: 'connecting', reason: reasonOf(LINK_FAULTS.starting), can: NOTHING }
  const others = scouts.length - 1
  return { state: best.health.state, reason: reasonNaming(best, others), can: NOTHING }
}

function reasonNaming({ name, slots, health }: NodeCondition, others: number): Reason {
  const share = slots === 0 ? '' : `, ${slots} of ${SLOTS} slots`
  const more = others === 0 ? '' : `, and ${others} more node${others === 1 ? '' : 's'}`
  return { ...health.reason, text: `Node ${name}${share}${more}: ${health.reason.text}` }
}

function bySeverity(one: NodeCondition, other: NodeCondition): number {
  return rank(one.health.state) - rank(other.health.state) || other.slots - one.slots
}

function rank(state: HealthState): number {
  return SEVERITY.indexOf(state)
}

function either(one: Capabilities, other: Capabilities): Capabilities {
  return { read: one.read || other.read, write: one.write || other.write, publish: one.publish || other.publish }
}
