/** Where the evidence about this machine comes from. */
import { mapped } from '../../evidence.ts'
import type { Sources } from './context.ts'
import type { HostValues } from './host-values.ts'

export const HOST_SOURCES: Sources<HostValues> = {
  overcommit: {
    reads: '/proc/sys/vm/overcommit_memory',
    collect: async ({ host }) => mapped(await host.readFile('/proc/sys/vm/overcommit_memory'), Number),
  },
}
