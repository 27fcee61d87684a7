/** Does the hypervisor give this machine the CPU that it is paid for? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const WARN_SHARE = 0.05

export const cpuSteal: PlainCheck<'redisHere' | 'cpuSteal'> = {
  id: 'host.cpu-steal',
  layer: 'host',
  title: 'CPU that others took',
  why: 'Redis serves with one thread: when the hypervisor takes its CPU away, every client waits.',
  severity: 'warn',
  needs: ['redisHere', 'cpuSteal'],
  judge: ({ cpuSteal: share }) => {
    if (Number.isNaN(share)) return nothingToJudge('The kernel does not say how much CPU was taken away.')
    const evidence = [`steal ${(share * 100).toFixed(1)} % of the time since boot`]
    if (share < WARN_SHARE) return ok('This machine gets its CPU.', evidence)
    return [
      {
        state: 'warn',
        summary: `The hypervisor gave ${(share * 100).toFixed(1)} % of this machine's CPU time to others.`,
        evidence,
        fix: {
          text: 'Move to a machine with CPUs of its own (no burstable type, no overbooked host).',
          commands: ['vmstat 1 5'],
        },
      },
    ]
  },
}
