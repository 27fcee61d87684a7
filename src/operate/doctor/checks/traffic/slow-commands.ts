/** Which commands held up all others? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import type { SlowCommand } from '../../evidence/server-values.ts'
import { durationText, some, told } from '../words.ts'

const SLOW_MS = 10

export const slowCommands: DoctorCheck<'slowlog' | 'now', 'config'> = {
  id: 'traffic.slow-commands',
  layer: 'traffic',
  title: 'slow log',
  why: 'Redis runs one command at a time: for as long as a slow one runs, every client waits.',
  severity: 'warn',
  needs: ['slowlog', 'now'],
  wants: ['config'],
  judge: ({ slowlog, now, config }) => {
    if (config?.get('slowlog-max-len') === '0' || config?.get('slowlog-log-slower-than') === '-1')
      return nothingToJudge('The slow log is switched off.')
    const slow = slowlog.filter(({ ms }) => ms > SLOW_MS)
    if (slow.length === 0) return ok(`None above ${SLOW_MS} ms.`, config && told(config, 'slowlog-log-slower-than'))
    const worst = slow.toSorted((one, other) => other.ms - one.ms)
    return [
      {
        state: 'warn',
        summary: `${[...new Set(worst.map(({ command }) => command))].slice(0, 4).join(', ')} took up to ${Math.round(worst[0]?.ms ?? 0)} ms.`,
        evidence: some(worst.map((entry) => entryText(entry, now))),
        fix: {
          text: 'Ask for less at a time: SCAN instead of KEYS, SSCAN and HSCAN instead of SMEMBERS and HGETALL of large ones, UNLINK instead of DEL, smaller scripts.',
          commands: ['redis-cli SLOWLOG GET 10'],
        },
      },
    ]
  },
}

function entryText({ command, arguments: count, ms, at }: SlowCommand, now: number): string {
  return `${command} with ${count} arguments: ${ms.toFixed(1)} ms, ${durationText(Math.max(0, (now - at) / 1000))} ago`
}
