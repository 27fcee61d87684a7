/** Is asking for the time cheap? Redis asks for it with every command. */
import { ok, type PlainCheck } from '../../check.ts'

const SLOW = ['xen', 'hpet', 'acpi_pm', 'jiffies', 'refined-jiffies']

export const clockSource: PlainCheck<'redisHere' | 'clockSource'> = {
  id: 'host.clock-source',
  layer: 'host',
  title: 'the clock of the kernel',
  why: 'With some clocks asking for the time is a call into the kernel or the hypervisor, and Redis asks several times per command.',
  severity: 'warn',
  needs: ['redisHere', 'clockSource'],
  judge: ({ clockSource: source }) => {
    const evidence = [`clocksource ${source}`]
    if (!SLOW.includes(source)) return ok('The clock is read without a system call.', evidence)
    return [
      {
        state: 'warn',
        summary: `The kernel reads the time from ${source}, which is slow.`,
        evidence,
        fix: {
          text: 'Change to tsc, where it is among those that are there.',
          commands: [
            'cat /sys/devices/system/clocksource/clocksource0/available_clocksource',
            'echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource',
          ],
        },
        undo: {
          text: 'Change it back.',
          commands: [`echo ${source} | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource`],
        },
      },
    ]
  },
}
