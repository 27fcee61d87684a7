/** Who is connected. */
import { mapped, notAvailable } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { fieldsOfLine, numberIn } from './fields.ts'
import type { ServerValues } from './server-values.ts'

/** The list is made while the server does nothing else; of more than these it would be felt. */
const MAX_CLIENTS = 20_000

export const clients: EvidenceSource<ServerValues['clients']> = {
  reads: 'CLIENT LIST',
  commands: ['client|list'],
  collect: async ({ server, evidence }) => {
    const info = await evidence('info')
    if (info.kind === 'known' && numberIn(info.value, 'connected_clients') > MAX_CLIENTS)
      return notAvailable(`more than ${MAX_CLIENTS} clients: listing them would hold up the server`)
    return mapped(await server.ask('CLIENT', 'LIST'), (reply) =>
      String(reply).split('\n').filter(Boolean).map(fieldsOfLine),
    )
  },
}
