/** Where the evidence about the server comes from. */
import { check } from '../../check.ts'
import { failed, known, mapped } from '../../evidence.ts'
import type { Sources } from './context.ts'
import { fieldsOfInfo, fieldsOfPairs } from './fields.ts'
import type { ServerValues } from './server-values.ts'

/** Of the time: it ends with a cause of its own before the doctor gives it up. */
const SHARE_FOR_DIAGNOSIS = 0.8

export const SERVER_SOURCES: Sources<ServerValues> = {
  diagnosis: {
    reads: 'what evenkeel check looks at',
    commands: ['ping', 'role', 'client|info'],
    collect: async ({ target, clock, remainingMs }) => {
      const [diagnosis] = await check([target], { clock, timeoutMs: remainingMs * SHARE_FOR_DIAGNOSIS })
      return diagnosis === undefined ? failed('the check said nothing') : known(diagnosis)
    },
  },
  info: {
    reads: 'INFO',
    commands: ['info'],
    collect: async ({ server }) => mapped(await server.ask('INFO', 'everything'), fieldsOfInfo),
  },
  config: {
    reads: 'CONFIG GET *',
    commands: ['config|get'],
    collect: async ({ server }) => mapped(await server.ask('CONFIG', 'GET', '*'), fieldsOfPairs),
  },
}
