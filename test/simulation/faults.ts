/** What can go wrong outside the process: how it begins, how it ends, and what the link may call it. */
import type { Condition } from './conditions.ts'
import { systemError } from './connection.ts'
import type { Disturbance } from './path.ts'
import type { Chance } from './random.ts'
import type { NameService, Node, World } from './world.ts'

/**
 * What a fault is to the link, which decides how soon it must notice and how soon it must be back (bounds.ts):
 * - `closed` every connection ends, and new ones are turned away at once
 * - `silent` nothing answers
 * - `slow` answers come late
 * - `not-ready`, `write-blocked`, `misconfigured`, `over-quota` the server itself says no
 */
export type Severity = 'closed' | 'silent' | 'slow' | 'not-ready' | 'write-blocked' | 'misconfigured' | 'over-quota'

export interface FaultScene {
  readonly world: World
  readonly node: Node
  readonly chance: Chance
}

export interface SimulatedFault {
  readonly severity: Severity
  /** The same for a link that was never up: what never worked may be a setting. */
  readonly severityAtFirst?: Severity
  /** Codes under which the link may report it. */
  readonly codes: readonly string[]
  /** A PING is refused too, so that even an idle link must notice. */
  readonly seenByPing?: boolean
  /** Returns what ends it. */
  begin(scene: FaultScene): () => void
}

const CLOSED = ['connection-closed', 'reset', 'closed-at-start', 'broken-pipe', 'silent', 'no-answer']
const SILENT = ['silent', 'handshake-timeout', 'connect-timeout', 'no-answer', 'slow', ...CLOSED]
const RESET = systemError('ECONNRESET')
const GARBAGE = new Error('Unknown RESP type 72 "H"')

export const SIMULATED_FAULTS = {
  refused: cutting('closed', ['refused'], { reach: 'refused' }),
  'hung-up': cutting('closed', [], { reach: 'hung-up' }),
  'not-redis': { ...cutting('closed', ['not-redis'], { reach: 'not-redis' }), severityAtFirst: 'misconfigured' },
  'cut young': { severity: 'closed', codes: CLOSED, begin: cutYoung },
  unreachable: cutting('closed', ['host-unreachable'], { reach: 'unreachable' }),
  reset: { severity: 'closed', codes: CLOSED, begin: ({ node }) => (node.path.cut(RESET), () => undefined) },
  killed: {
    severity: 'closed',
    codes: [...CLOSED, 'refused'],
    begin: ({ node }) => node.server.kill({ empty: false }),
  },
  'killed, back empty': {
    severity: 'closed',
    codes: [...CLOSED, 'refused'],
    begin: ({ node }) => node.server.kill({ empty: true }),
  },
  frozen: { severity: 'silent', codes: SILENT, begin: ({ node }) => node.server.freeze() },
  'black hole': disturbing('silent', { reach: 'black-hole', up: 'interrupt', down: 'interrupt' }),
  stalled: disturbing('silent', { up: 'hold', down: 'hold' }),
  'stalled, then reset': thenCut({ up: 'hold', down: 'hold' }),
  'replies lost': thenCut({ down: 'lose' }),
  'everything lost': thenCut({ up: 'lose', down: 'lose' }),
  'accepted in silence': { severity: 'silent', codes: SILENT, begin: acceptInSilence },
  'replies 300 ms late': disturbing('slow', { slowerDownMs: 300 }),
  'requests 300 ms late': disturbing('slow', { slowerUpMs: 300 }),
  'replies 2 s late': disturbing('slow', { slowerDownMs: 2000 }),
  'requests 2 s late': disturbing('slow', { slowerUpMs: 2000 }),
  loading: { severity: 'not-ready', codes: [...CLOSED, 'loading', 'refused'], seenByPing: true, begin: load },
  busy: condition('not-ready', 'busy', ['busy-script']),
  'master down': condition('not-ready', 'master-down', ['master-down']),
  full: { severity: 'not-ready', codes: [...CLOSED, 'max-clients'], begin: fill },
  // A PING is refused then, but a link that is busy with reads sends none.
  'snapshot failing': { ...condition('write-blocked', 'misconf', ['snapshot-failing']), seenByPing: false },
  'out of memory': { ...condition('write-blocked', 'oom', ['out-of-memory']), seenByPing: false },
  'too few replicas': { ...condition('write-blocked', 'no-replicas', ['too-few-replicas']), seenByPing: false },
  demoted: { ...condition('write-blocked', 'demoted', ['read-only-replica']), seenByPing: false },
  'quota used up': condition('over-quota', 'quota', ['request-quota']),
  'password changed': {
    severity: 'misconfigured',
    codes: [...CLOSED, 'wrong-password', 'password-missing'],
    begin: lockOut,
  },
  'name service down': naming('try-again', 'closed', ['resolver-down']),
  'name service mute': naming('mute', 'silent', ['resolver-down']),
  'name unknown': naming('unknown-name', 'misconfigured', ['name-not-found']),
} as const satisfies Readonly<Record<string, SimulatedFault>>

export type FaultName = keyof typeof SIMULATED_FAULTS
export const FAULT_NAMES: readonly FaultName[] = Object.keys(SIMULATED_FAULTS) as FaultName[]

/** Like `SIMULATED_FAULTS[name]`, with the fields that only some of them have. */
export function simulatedFault(name: FaultName): SimulatedFault {
  return SIMULATED_FAULTS[name]
}

function disturbing(severity: Severity, disturbance: Disturbance): SimulatedFault {
  return { severity, codes: SILENT, begin: ({ node }) => node.path.disturb({ ...disturbance }) }
}

/** Disturbs the path, and ends the connections that were open. */
function cutting(severity: Severity, codes: readonly string[], disturbance: Disturbance): SimulatedFault {
  return {
    severity,
    codes: [...CLOSED, ...codes],
    begin: ({ node }) => {
      node.path.cut(disturbance.reach === 'not-redis' ? GARBAGE : RESET)
      return node.path.disturb({ ...disturbance })
    },
  }
}

/** Disturbs the path, and ends all connections when it is over: TCP never goes on with a hole in it. */
function thenCut(disturbance: Disturbance): SimulatedFault {
  return {
    severity: 'silent',
    codes: SILENT,
    begin: ({ node }) => {
      const end = node.path.disturb({ ...disturbance })
      return () => {
        end()
        node.path.cut(RESET)
      }
    },
  }
}

function condition(severity: Severity, name: Condition, codes: readonly string[]): SimulatedFault {
  return { severity, codes, seenByPing: true, begin: ({ node }) => node.server.condition(name) }
}

/** A proxy whose server has gone: old connections are as mute as new ones, and stay so or are reset in the end. */
function acceptInSilence({ node, chance }: FaultScene): () => void {
  const end = node.path.disturb({ reach: 'silent', up: 'lose', down: 'lose' })
  return () => {
    end()
    if (chance.likely(0.5)) node.path.cut(RESET)
  }
}

/** Something on the way lets everybody in and ends every connection a moment later. */
function cutYoung({ world, node, chance }: FaultScene): () => void {
  let over = false
  const cut = (): void => {
    if (over) return
    node.path.cut(RESET)
    world.clock.at(world.clock.now() + chance.between(20, 120), cut)
  }
  cut()
  return () => {
    over = true
  }
}

/** Restarted, and reading its data for as long as it lasts. */
function load({ node }: FaultScene): () => void {
  node.server.kill({ empty: false })()
  return node.server.condition('loading')
}

/** Somebody takes all connections the moment ours are gone. */
function fill({ node }: FaultScene): () => void {
  const end = node.server.condition('full')
  node.path.cut(RESET)
  return end
}

function lockOut({ node }: FaultScene): () => void {
  const end = node.server.condition('rotated')
  node.path.cut(RESET)
  return end
}

function naming(answer: NameService, severity: Severity, codes: readonly string[]): SimulatedFault {
  return {
    severity,
    codes: [...CLOSED, ...codes],
    begin: ({ world, node }) => {
      const end = world.disturbNames(answer)
      node.path.cut(RESET)
      return end
    },
  }
}
