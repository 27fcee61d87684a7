/** The settings of the running server, which need not be those of its file. */
import { mapped } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfPairs } from './fields.ts'
import type { ServerValues } from './server-values.ts'

export const config: EvidenceSource<ServerValues['config']> = {
  reads: 'CONFIG GET *',
  commands: ['config|get'],
  collect: async ({ server }) => mapped(await server.ask('CONFIG', 'GET', '*'), fieldsOfPairs),
}
