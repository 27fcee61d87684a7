/** Are commands used that look at all keys, or wipe them? */
import { ok, type PlainCheck } from '../../check.ts'
import type { Fields } from '../../evidence/server-values.ts'

const COSTLY = ['keys', 'flushall', 'flushdb', 'save', 'monitor', 'debug']

export const costlyCommands: PlainCheck<'info'> = {
  id: 'traffic.costly-commands',
  layer: 'traffic',
  title: 'KEYS, FLUSHALL, SAVE and their like',
  why: 'KEYS and SAVE hold up every client, the longer the more data there is; FLUSHALL takes away what others keep in the same instance.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const used = COSTLY.flatMap((name) => statOf(info, name))
    if (used.length === 0) return ok('None of them was used.')
    const harmful = used.some(({ name }) => name === 'keys' || name === 'save')
    return [
      {
        state: harmful ? 'warn' : 'info',
        summary: `Used since the start: ${used.map(({ name }) => name.toUpperCase()).join(', ')}.`,
        evidence: used.map(({ name, text }) => `${name}: ${text}`),
        fix: {
          text: 'SCAN for KEYS, UNLINK of one prefix for FLUSHALL, BGSAVE for SAVE. Take the right to them from the users of applications.',
          commands: ['redis-cli ACL SETUSER <app> -keys -flushall -flushdb -save -monitor -debug'],
        },
      },
    ]
  },
}

/** `cmdstat_keys:calls=3,usec=120,usec_per_call=40.00,…`, those of subcommands as `cmdstat_debug|sleep`. */
function statOf(info: Fields, name: string): { name: string; text: string }[] {
  const lines = [...info].filter(([field]) => field === `cmdstat_${name}` || field.startsWith(`cmdstat_${name}|`))
  return lines.flatMap(([, stat]) => {
    const [, calls = '0', micros = '0'] = /calls=(\d+),usec=\d+,usec_per_call=([\d.]+)/.exec(stat) ?? []
    return Number(calls) === 0 ? [] : [{ name, text: `${calls} calls, ${(Number(micros) / 1000).toFixed(2)} ms each` }]
  })
}
