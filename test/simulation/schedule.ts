/** From a seed to everything that will happen: who connects how, what they do, what goes wrong and when. Plain data. */
import type { LinkTuning } from '../../src/link/settings.ts'
import type { Manner } from './connection.ts'
import { FAULT_NAMES, simulatedFault, type FaultName } from './faults.ts'
import type { Delay } from './path.ts'
import { Chance } from './random.ts'

/** Calls per second from one moment to another; `bursts`: many at once every few seconds. */
export interface TrafficPlan {
  readonly fromMs: number
  readonly toMs: number
  readonly perSecond: number | 'bursts'
}

export interface SubscriptionPlan {
  readonly kind: 'channel' | 'pattern'
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

export interface TrackingPlan {
  readonly fromMs: number
  readonly toMs: number
}

export interface LinkPlan {
  readonly name: string
  readonly tuning: LinkTuning
  readonly startMs: number
  readonly isolatedAtStart: boolean
  readonly traffic: readonly TrafficPlan[]
  readonly readShare: number
  readonly fencedShare: number
  readonly subscriptions: readonly SubscriptionPlan[]
  readonly blockingLanes: number
  readonly tracking: TrackingPlan | undefined
  /** What a health listener does, out of the listener, when it is told of this state for the first time. */
  readonly onState: { readonly state: string; readonly act: 'isolate' | 'close' } | undefined
}

export type PlannedEvent =
  | { readonly at: number; readonly kind: 'fault'; readonly name: FaultName; readonly forMs: number }
  | { readonly at: number; readonly kind: 'stall'; readonly forMs: number }
  | { readonly at: number; readonly kind: 'isolate'; readonly link: number; readonly forMs: number }
  | { readonly at: number; readonly kind: 'close'; readonly link: number }
  | { readonly at: number; readonly kind: 'fail-over'; readonly nameAfterMs: number }

export interface Plan {
  readonly seed: number
  readonly links: readonly LinkPlan[]
  readonly events: readonly PlannedEvent[]
  readonly delay: Delay
  readonly manner: Manner
  /** Timers as Node has them, early and late by a millisecond; else exact. */
  readonly coarseTimers: boolean
  readonly password: string | undefined
  readonly database: number
  readonly old: boolean
  readonly restricted: boolean
  readonly deadAddress: boolean
  readonly sentinel: boolean
  readonly clockOffsetMs: number
  readonly clockDrift: number
  /** By then every fault is over. */
  readonly faultsEndMs: number
}

/** Faults whose mend takes the link long to notice, by design, come less often: each costs minutes of virtual time. */
const RARE: readonly FaultName[] = ['quota used up', 'password changed', 'name unknown']

export function planOf(seed: number): Plan {
  const chance = new Chance(seed)
  const events = plannedEvents(chance)
  const faultsEndMs = Math.max(...events.map((event) => event.at + ('forMs' in event ? event.forMs : 0)))
  const links = chance.likely(0.25) ? chance.whole(2, 3) : 1
  const far = chance.likely(0.15)
  const failsOver = events.some(({ kind }) => kind === 'fail-over')
  return {
    seed,
    links: Array.from({ length: links }, (_, index) => linkPlan(chance, { seed, index, far, faultsEndMs })),
    events: events.map((event) => ('link' in event ? { ...event, link: event.link % links } : event)),
    delay: delayPlan(chance, far),
    manner: {
      rejectsFirst: chance.likely(0.3),
      rejectsAfterKill: chance.likely(0.5),
      hearsGreetings: chance.likely(0.5),
    },
    coarseTimers: chance.likely(0.5),
    password: chance.likely(0.4) ? 'secret' : undefined,
    database: chance.likely(0.3) ? 3 : 0,
    old: chance.likely(0.1),
    restricted: chance.likely(0.1),
    deadAddress: chance.likely(0.1),
    sentinel: failsOver && chance.likely(0.5),
    clockOffsetMs: chance.between(-3_600_000, 3_600_000),
    clockDrift: chance.likely(0.3) ? chance.between(-1e-4, 1e-4) : 0,
    faultsEndMs,
  }
}

function delayPlan(chance: Chance, far: boolean): Delay {
  const oneWay = far ? chance.between(5, 30) : chance.between(0.05, 1.5)
  return { connectMs: 2 * oneWay, upMs: oneWay, downMs: oneWay, jitterMs: chance.pick([0, 0.3, 2]) }
}

// --- what goes wrong ------------------------------------------------------------------------------------------------

function plannedEvents(chance: Chance): PlannedEvent[] {
  const events: PlannedEvent[] = []
  const faults = chance.whole(2, 5)
  let at = chance.likely(0.2) ? 0 : chance.between(1000, 4000)
  for (let count = 0; count < faults && (count < 2 || at < 30_000); count++) {
    const added = chance.likely(0.1) ? flapping(chance, at) : [oneEvent(chance, at)]
    events.push(...added)
    const endMs = Math.max(...added.map((event) => event.at + ('forMs' in event ? event.forMs : 0)))
    const overlaps = chance.likely(0.15)
    at = overlaps ? chance.between(at, endMs) : endMs + gap(chance)
  }
  return events
}

/** Sometimes the next fault meets a link that is not back yet, sometimes one that has settled. */
function gap(chance: Chance): number {
  return chance.likely(0.4) ? chance.between(10, 1500) : chance.between(3000, 9000)
}

function oneEvent(chance: Chance, at: number): PlannedEvent {
  const kind = chance.next()
  if (kind < 0.08) return { at, kind: 'stall', forMs: chance.pick([30, 200, 700, 1500]) * chance.between(0.7, 1.3) }
  if (kind < 0.14) return { at, kind: 'isolate', link: chance.whole(0, 2), forMs: duration(chance) }
  if (kind < 0.16) return { at, kind: 'close', link: chance.whole(0, 2) }
  if (kind < 0.2) return { at, kind: 'fail-over', nameAfterMs: chance.between(0, 3000) }
  const name = chance.pick(FAULT_NAMES)
  if (RARE.includes(name) && chance.likely(0.7)) return oneEvent(chance, at)
  return { at, kind: 'fault', name, forMs: name === 'reset' ? 0 : duration(chance) }
}

function duration(chance: Chance): number {
  const kind = chance.next()
  if (kind < 0.2) return chance.between(5, 400)
  return kind < 0.7 ? chance.between(400, 3000) : chance.between(3000, 10_000)
}

function flapping(chance: Chance, from: number): PlannedEvent[] {
  const names = FAULT_NAMES.filter((name) => ['closed', 'silent'].includes(simulatedFault(name).severity))
  const name = chance.pick(names)
  const onMs = chance.between(100, 1500)
  const offMs = chance.between(100, 1500)
  return Array.from({ length: chance.whole(3, 7) }, (_, index) => ({
    at: from + index * (onMs + offMs),
    kind: 'fault',
    name,
    forMs: onMs,
  }))
}

// --- what the application does --------------------------------------------------------------------------------------

interface LinkCircumstances {
  readonly seed: number
  readonly index: number
  readonly far: boolean
  readonly faultsEndMs: number
}

function linkPlan(chance: Chance, { seed, index, far, faultsEndMs }: LinkCircumstances): LinkPlan {
  return {
    name: `link-${index + 1}`,
    // A short deadline to a far server is a brownout that no fault is to blame for.
    tuning: far ? {} : tuningPlan(chance),
    startMs: chance.likely(0.8) ? 0 : chance.between(0, 5000),
    isolatedAtStart: chance.likely(0.05),
    traffic: trafficPlan(chance, faultsEndMs),
    readShare: chance.pick([0, 0.3, 0.5, 0.7, 1]),
    fencedShare: chance.pick([0, 0.3, 1]),
    subscriptions: Array.from({ length: chance.pick([0, 0, 1, 1, 2, 3]) }, () => subscriptionPlan(chance, faultsEndMs)),
    blockingLanes: chance.pick([0, 0, 0, 1, 2]),
    tracking: trackingPlan(new Chance(seed * 31 + index), faultsEndMs),
    onState: chance.likely(0.06)
      ? { state: chance.pick(['up', 'down', 'not-ready', 'write-blocked']), act: chance.pick(['isolate', 'close']) }
      : undefined,
  }
}

function tuningPlan(chance: Chance): LinkTuning {
  if (chance.likely(0.8)) return {}
  return {
    readDeadlineMs: chance.pick([50, 250, 1000]),
    writeDeadlineMs: chance.pick([100, 500, 2000]),
    heartbeatMs: chance.pick([500, 1000, 5000]),
    silenceMs: chance.pick([200, 500, 1000]),
  }
}

function trafficPlan(chance: Chance, faultsEndMs: number): TrafficPlan[] {
  const phases: TrafficPlan[] = []
  for (let fromMs = 0; fromMs < faultsEndMs;) {
    const toMs = fromMs + chance.between(2000, 12_000)
    phases.push({
      fromMs,
      toMs,
      perSecond: chance.pick([0, 0, 1, 2, 5, 5, 5, 10, 10, 20, chance.likely(0.2) ? 100 : 5, 'bursts']),
    })
    fromMs = toMs
  }
  return [...phases, { fromMs: phases.at(-1)?.toMs ?? 0, toMs: Infinity, perSecond: chance.pick([0.5, 2, 5]) }]
}

/** Connections that a link keeps, the one for commands among them. */
export function lanesOf({ subscriptions, blockingLanes, tracking }: LinkPlan): number {
  return 1 + Math.min(1, subscriptions.length) + blockingLanes + (tracking === undefined ? 0 : 1)
}

function trackingPlan(chance: Chance, faultsEndMs: number): TrackingPlan | undefined {
  if (chance.likely(0.6)) return undefined
  const fromMs = chance.likely(0.6) ? 0 : chance.between(0, faultsEndMs)
  return { fromMs, toMs: chance.likely(0.8) ? Infinity : chance.between(fromMs, faultsEndMs + 5000) }
}

function subscriptionPlan(chance: Chance, faultsEndMs: number): SubscriptionPlan {
  const kind = chance.pick(['channel', 'channel', 'pattern'] as const)
  const refused = chance.likely(0.1)
  const name = refused ? 'denied' : chance.pick(['news', 'prices'])
  const fromMs = chance.likely(0.6) ? 0 : chance.between(0, faultsEndMs)
  const toMs = chance.likely(0.7) ? Infinity : chance.between(fromMs, faultsEndMs + 5000)
  return { kind, name: kind === 'pattern' ? `${name}*` : name, fromMs, toMs }
}
