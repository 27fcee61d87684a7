/** What only a real network does: three network namespaces, or a backlog that is full. */
import { BlackHole } from '../../../support/black-hole.ts'
import { NetworkLab, type Route } from '../../../support/network-lab.ts'
import { PROMISES, type Cell, type Stage } from '../cell.ts'

const { silentMs, idleMs } = PROMISES
const unavailable = await NetworkLab.unavailable()
/** An attempt that began before the heal repeats its SYN after a second, and has its own budget of a second. */
const AFTER_BLACK_HOLE_MS = 2500

export const PARTITION_CELLS: readonly Cell[] = [
  {
    name: 'partition 5 s',
    stage: lab(
      (lab) => lab.partition(),
      (lab) => lab.heal(),
    ),
    faultMs: 5000,
    repetitions: 1,
    unavailable,
    expect: {
      // The command connection that was given up is ended by CLIENT KILL on return, the subscriber's by the server itself.
      connectionsLeft: 1,
      degradedMs: silentMs,
      detectedAs: ['silent'],
      reason: ['connect-timeout'],
      returnMs: AFTER_BLACK_HOLE_MS,
      gaps: [1, 1],
    },
  },
  {
    name: 'partition 5 s, nobody calls',
    stage: lab(
      (lab) => lab.partition(),
      (lab) => lab.heal(),
    ),
    phase: 'idle',
    faultMs: 5000,
    repetitions: 1,
    unavailable,
    expect: {
      // The command connection that was given up is ended by CLIENT KILL on return, the subscriber's by the server itself.
      connectionsLeft: 1,
      degradedMs: idleMs,
      detectedAs: ['silent'],
      reason: ['connect-timeout'],
      returnMs: AFTER_BLACK_HOLE_MS,
      gaps: [1, 1],
    },
  },
  routed('unreachable', 'host-unreachable'),
  routed('prohibit', 'connect-denied'),
  routed('black-hole', 'connect-timeout'),
  {
    name: 'SYNs unanswered, at boot',
    stage: blackHole,
    phase: 'boot',
    faultMs: 2500,
    repetitions: 1,
    expect: { reason: ['connect-timeout'], returnMs: AFTER_BLACK_HOLE_MS, upPeriods: 1 },
  },
]

/** The route of this machine to the server is replaced while connections are open. */
function routed(route: Route, reason: string): Cell {
  const stage = async (): Promise<Stage> => {
    let cut: { restore(): Promise<void> } | undefined
    const begin = async (lab: NetworkLab): Promise<void> => {
      cut = await lab.route(route)
    }
    return await lab(begin, () => cut?.restore())()
  }
  return {
    name: `route to the server: ${route}`,
    stage,
    faultMs: 3000,
    repetitions: 1,
    unavailable,
    expect: {
      degradedMs: silentMs,
      detectedAs: ['silent', reason],
      reason: [reason],
      returnMs: AFTER_BLACK_HOLE_MS,
      gaps: [1, 1],
    },
  }
}

type Act = (lab: NetworkLab) => void | Promise<void>

function lab(begin: Act, heal: Act): () => Promise<Stage> {
  return async () => {
    const lab = await NetworkLab.start()
    const server = await lab.redis()
    return {
      redis: { url: server.url },
      server,
      begin: () => begin(lab),
      heal: () => heal(lab),
      [Symbol.asyncDispose]: () => lab.stop(),
    }
  }
}

async function blackHole(): Promise<Stage> {
  const hole = await BlackHole.start()
  return {
    redis: { host: hole.host, port: hole.port },
    server: hole.server,
    begin: () => undefined,
    heal: () => hole.heal(),
    [Symbol.asyncDispose]: () => hole.close(),
  }
}
