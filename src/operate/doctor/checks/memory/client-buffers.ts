/** Do answers wait in memory for clients that do not read them? */
import { ok, type DoctorCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { Fields } from '../../evidence/server-values.ts'
import { bytesText, some } from '../words.ts'

/** As MEMORY DOCTOR has it: on average this much for each client. */
const AVERAGE_BYTES = 200_000
const ONE_CLIENT_BYTES = 10 * 1024 ** 2

export const clientBuffers: DoctorCheck<'clients', 'info'> = {
  id: 'memory.client-buffers',
  layer: 'memory',
  title: 'buffers of the clients',
  why: 'A subscriber that reads too slowly, or a client that asks for everything at once, fills the memory of the server until it is cut off.',
  severity: 'warn',
  needs: ['clients'],
  wants: ['info'],
  judge: ({ clients, info }) => {
    const waiting = clients.map((client) => numberIn(client, 'omem') + numberIn(client, 'qbuf'))
    const average = waiting.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, clients.length)
    const heavy = clients.filter((client) => numberIn(client, 'omem') > ONE_CLIENT_BYTES)
    const cut = info === undefined ? Number.NaN : numberIn(info, 'client_output_buffer_limit_disconnections')
    const evidence = [
      `${clients.length} clients, ${bytesText(Math.round(average))} each on average`,
      ...(cut > 0 ? [`client_output_buffer_limit_disconnections ${cut}`] : []),
      ...some(heavy.map(clientText)),
    ]
    if (average <= AVERAGE_BYTES && heavy.length === 0 && !(cut > 0)) return ok('Small.', evidence)
    return [
      {
        state: 'warn',
        summary:
          cut > 0
            ? 'Clients were cut off because they did not read what waited for them.'
            : 'Much waits for clients that do not read it.',
        evidence,
        fix: {
          text: 'Find out which client it is and why it does not read; fetch less at a time. A limit for normal clients keeps one of them from taking all.',
          commands: ['redis-cli CLIENT LIST', "redis-cli CONFIG SET client-output-buffer-limit 'normal 256mb 64mb 60'"],
        },
        undo: {
          text: 'No limit for normal clients, as it is by default.',
          commands: ["redis-cli CONFIG SET client-output-buffer-limit 'normal 0 0 0'"],
        },
      },
    ]
  },
}

function clientText(client: Fields): string {
  const name = client.get('name') ?? ''
  return `${client.get('addr')}${name === '' ? '' : ` (${name})`}, last ${client.get('cmd')}: ${bytesText(numberIn(client, 'omem'))} wait for it`
}
