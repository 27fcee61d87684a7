/** What happens on the way to a healthy server. */
import type { FaultProxy } from '../../../support/fault-proxy.ts'
import { PROMISES, type Cell } from '../cell.ts'
import { healed, healedWithReset, proxied } from '../stages.ts'

const { closedMs, silentMs } = PROMISES
const SILENT = { degradedMs: silentMs, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] }
const RESET = { degradedMs: closedMs, detectedAs: ['reset'] }

export const SILENT_CELLS: readonly Cell[] = [
  { name: 'stalled 1.5 s', stage: proxied({ begin: 'pause' }), faultMs: 1500, expect: SILENT },
  {
    name: 'stalled, then RST',
    stage: proxied({ begin: 'pause', heal: healedWithReset }),
    faultMs: 1500,
    expect: { ...SILENT, gaps: [1, 1] },
  },
  {
    name: 'replies lost, then RST',
    stage: proxied({ begin: 'drop-replies', heal: healedWithReset }),
    faultMs: 1500,
    expect: { ...SILENT, gaps: [1, 1] },
  },
  {
    name: 'everything lost, then RST',
    stage: proxied({ begin: 'drop-all', heal: healedWithReset }),
    faultMs: 1500,
    expect: { ...SILENT, gaps: [1, 1] },
  },
  {
    name: 'accepted but silent, 5 s',
    stage: proxied({ begin: 'silent' }),
    faultMs: 5000,
    repetitions: 1,
    expect: { ...SILENT, reason: ['handshake-timeout'], gaps: [1, 1] },
  },
  {
    name: 'accepted but silent, RST at heal',
    stage: proxied({ begin: 'silent', heal: healedWithReset }),
    faultMs: 1500,
    expect: { ...SILENT, gaps: [1, 1] },
  },
  {
    name: 'accepted but silent, at boot',
    stage: proxied({ begin: 'silent' }),
    phase: 'boot',
    faultMs: 2500,
    repetitions: 1,
    expect: { reason: ['handshake-timeout'], upPeriods: 1 },
  },
]

export const CLOSING_CELLS: readonly Cell[] = [
  {
    name: 'refused',
    stage: proxied({ begin: 'refuse' }),
    faultMs: 1500,
    expect: { ...RESET, reason: ['refused'], gaps: [1, 1] },
  },
  {
    name: 'refused 8 s',
    stage: proxied({ begin: 'refuse' }),
    faultMs: 8000,
    repetitions: 1,
    expect: { ...RESET, reason: ['refused'], gaps: [1, 1] },
  },
  {
    name: 'refused at boot',
    stage: proxied({ begin: 'refuse' }),
    phase: 'boot',
    faultMs: 2500,
    repetitions: 1,
    expect: { reason: ['refused'], upPeriods: 1 },
  },
  {
    name: 'accepted, then FIN',
    stage: proxied({ begin: 'accept-close' }),
    faultMs: 1500,
    expect: { degradedMs: closedMs, detectedAs: ['connection-closed'], reason: ['closed-at-start'], gaps: [1, 1] },
  },
  {
    name: 'accepted, then RST',
    stage: proxied({ begin: 'accept-reset' }),
    faultMs: 1500,
    expect: { ...RESET, reason: ['closed-at-start'], gaps: [1, 1] },
  },
  {
    name: 'garbage (HTTP)',
    stage: proxied({ begin: 'garbage' }),
    faultMs: 1500,
    expect: { detectedAs: ['not-redis'], reason: ['not-redis'], gaps: [1, 1] },
  },
  {
    name: 'RST before executing',
    stage: proxied({ begin: 'reset-before' }),
    faultMs: 1500,
    expect: { detectedAs: ['reset'], reason: ['closed-at-start'], gaps: [0, 1] },
  },
  {
    name: 'RST after executing',
    stage: proxied({ begin: 'reset-after' }),
    faultMs: 1500,
    expect: { detectedAs: ['reset'], reason: ['closed-at-start'], gaps: [1, 1] },
  },
  {
    name: 'truncated reply, then RST',
    stage: proxied({ begin: 'truncate' }),
    faultMs: 1500,
    expect: { detectedAs: ['reset'], reason: ['closed-at-start'], gaps: [1, 1] },
  },
  { name: 'one RST', stage: proxied(once('resetConnections')), faultMs: 0, expect: { ...ONCE('reset') } },
  { name: 'one FIN', stage: proxied(once('finConnections')), faultMs: 0, expect: { ...ONCE('connection-closed') } },
  {
    name: 'flapping, 1 s off and 1 s on for 20 s',
    stage: () => proxied(flapping())(),
    faultMs: 20_000,
    repetitions: 1,
    expect: { ...RESET, reason: ['flapping', 'refused', 'connected'], returnMs: 3000, gaps: [1, 10], upPeriods: 3 },
  },
]

export const SLOW_CELLS: readonly Cell[] = [
  {
    name: 'replies 2 s late',
    stage: proxied({ begin: { latencyMs: 2000 } }),
    faultMs: 3000,
    repetitions: 1,
    expect: SILENT,
  },
  {
    name: 'replies 300 ms late',
    stage: proxied({ begin: { latencyMs: 300 } }),
    faultMs: 3000,
    repetitions: 1,
    expect: { detectedAs: ['slow'], reason: ['slow'], gaps: [0, 0] },
  },
  {
    name: '1 kB/s',
    stage: proxied({ begin: { bytesPerSecond: 1000 } }),
    faultMs: 4000,
    repetitions: 1,
    // Some replies still come in time, so it may find that slow, or silent, or good enough, and more than once.
    expect: { reason: ['slow', 'silent', 'handshake-timeout', 'connected'], upPeriods: 9 },
  },
  {
    name: '50 kB/s',
    stage: proxied({ begin: { bytesPerSecond: 50_000 } }),
    faultMs: 1500,
    repetitions: 1,
    expect: { reason: ['connected'], gaps: [0, 0], upPeriods: 1, served: true },
  },
  {
    name: 'one byte at a time',
    stage: proxied({ begin: 'slice' }),
    faultMs: 1500,
    repetitions: 1,
    callEveryMs: 200,
    // A system call per byte is more than a busy machine does in time for anybody.
    alone: true,
    expect: { reason: ['connected'], gaps: [0, 0], upPeriods: 1, served: true },
  },
]

function once(cut: 'resetConnections' | 'finConnections'): Parameters<typeof proxied>[0] {
  return { begin: (proxy) => proxy[cut]() }
}

function ONCE(code: string): Cell['expect'] {
  return { degradedMs: closedMs, detectedAs: [code], reason: [code, 'connected', 'closed-at-start'], gaps: [1, 1] }
}

/** A timer of its own for each stage. */
function flapping(): Parameters<typeof proxied>[0] {
  let timer: NodeJS.Timeout | undefined
  return {
    begin: (proxy: FaultProxy) => {
      let turns = 0
      const turn = (): void => proxy.set((turns += 1) % 2 === 1 ? 'refuse' : 'pass')
      turn()
      timer = setInterval(turn, 1000)
    },
    heal: (proxy: FaultProxy) => {
      clearInterval(timer)
      healed(proxy)
    },
  }
}
