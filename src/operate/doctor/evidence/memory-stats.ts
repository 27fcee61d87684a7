/** What the memory is used for. */
import { mapped } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfPairs } from './fields.ts'
import type { ServerValues } from './server-values.ts'

export const memoryStats: EvidenceSource<ServerValues['memoryStats']> = {
  reads: 'MEMORY STATS',
  commands: ['memory|stats'],
  collect: async ({ server }) => mapped(await server.ask('MEMORY', 'STATS'), fieldsOfPairs),
}
