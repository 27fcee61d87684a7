/** What does the server itself say about its pauses? */
import { ok, type DoctorCheck } from '../../check.ts'
import { some, told } from '../words.ts'

const LONG_MS = 100

export const latencyEvents: DoctorCheck<'latency', 'config'> = {
  id: 'traffic.latency-events',
  layer: 'traffic',
  title: 'latency monitor',
  why: 'Forks, slow disks, expiry of many keys at once: pauses that no slow log shows. The monitor is off by default.',
  severity: 'warn',
  needs: ['latency'],
  wants: ['config'],
  judge: ({ latency, config }) => {
    const off = config?.get('latency-monitor-threshold') === '0'
    const evidence = [
      ...(config === undefined ? [] : told(config, 'latency-monitor-threshold')),
      ...some(latency.map(({ event, latestMs, maxMs }) => `${event}: ${latestMs} ms, at most ${maxMs} ms`)),
    ]
    const long = latency.filter(({ maxMs }) => maxMs > LONG_MS)
    if (long.length > 0)
      return [
        {
          state: 'warn',
          summary: `The server paused for up to ${Math.max(...long.map(({ maxMs }) => maxMs))} ms: ${long.map(({ event }) => event).join(', ')}.`,
          evidence,
          fix: {
            text: 'The server has advice for each kind of pause.',
            commands: ['redis-cli LATENCY DOCTOR', 'redis-cli LATENCY RESET'],
          },
        },
      ]
    if (!off) return ok(`No pause above ${LONG_MS} ms.`, evidence)
    return [
      {
        state: 'info',
        summary: 'The latency monitor is off.',
        evidence,
        fix: {
          text: 'Switch it on; it costs nothing that could be measured.',
          commands: [`redis-cli CONFIG SET latency-monitor-threshold ${LONG_MS}`],
        },
        undo: { text: 'Switch it off.', commands: ['redis-cli CONFIG SET latency-monitor-threshold 0'] },
      },
    ]
  },
}
