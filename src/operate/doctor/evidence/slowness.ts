/** What took long: single commands, and what the server did beside them. */
import type { Reply } from '../../../link/index.ts'
import { mapped } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { itemsOf } from './fields.ts'
import type { ServerValues, SlowCommand } from './server-values.ts'

const ENTRIES = 64

export const slowlog: EvidenceSource<ServerValues['slowlog']> = {
  reads: 'SLOWLOG GET',
  commands: ['slowlog|get'],
  collect: async ({ server }) =>
    mapped(await server.ask('SLOWLOG', 'GET', String(ENTRIES)), (reply) => itemsOf(reply).map(slowCommandOf)),
}

export const latency: EvidenceSource<ServerValues['latency']> = {
  reads: 'LATENCY LATEST',
  commands: ['latency|latest'],
  collect: async ({ server }) =>
    mapped(await server.ask('LATENCY', 'LATEST'), (reply) =>
      itemsOf(reply).map((entry) => {
        const [event, , latestMs, maxMs] = itemsOf(entry)
        return { event: String(event), latestMs: Number(latestMs), maxMs: Number(maxMs) }
      }),
    ),
}

/** Two words for commands whose second word says what they do, such as `CONFIG GET`. */
const WITH_SUBCOMMAND = /^(ACL|CLIENT|CLUSTER|CONFIG|DEBUG|FUNCTION|LATENCY|MEMORY|OBJECT|SCRIPT|SLOWLOG|XGROUP|XINFO)$/

function slowCommandOf(entry: Reply): SlowCommand {
  const [, at, micros, words] = itemsOf(entry)
  const [command = '', sub = ''] = itemsOf(words ?? null).map((word) => String(word).toUpperCase())
  return {
    command: WITH_SUBCOMMAND.test(command) ? `${command} ${sub}` : command,
    arguments: Math.max(0, itemsOf(words ?? null).length - 1),
    ms: Number(micros) / 1000,
    at: Number(at) * 1000,
  }
}
