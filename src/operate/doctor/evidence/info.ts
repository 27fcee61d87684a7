/** What the server counts: once, and once more a moment later. */
import { known, mapped } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfInfo } from './fields.ts'
import type { ServerValues } from './server-values.ts'

/** Long enough to see a counter move that moves at all, short enough to wait for. */
const TREND_MS = 1000

export const info: EvidenceSource<ServerValues['info']> = {
  reads: 'INFO',
  commands: ['info'],
  collect: async ({ server }) => mapped(await server.ask('INFO', 'everything'), fieldsOfInfo),
}

export const trend: EvidenceSource<ServerValues['trend']> = {
  reads: 'INFO, twice',
  commands: ['info'],
  collect: async ({ server, clock, remainingMs, evidence }) => {
    const before = await evidence('info')
    if (before.kind !== 'known') return before
    const startedAt = clock.now()
    const pauseMs = Math.min(TREND_MS, remainingMs / 2)
    await new Promise<void>((resolve) => void clock.setTimer(resolve, pauseMs))
    const after = mapped(await server.ask('INFO', 'everything'), fieldsOfInfo)
    const seconds = (clock.now() - startedAt) / 1000
    return after.kind === 'known' ? known({ before: before.value, after: after.value, seconds }) : after
  },
}
