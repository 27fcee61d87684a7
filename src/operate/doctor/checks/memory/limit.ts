/** Is there a limit, so that Redis says OOM before the kernel kills it? */
import { ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText, setting } from '../words.ts'

/** Of the machine's memory: a fork for a snapshot needs room beside the data. */
const SHARE_OF_MACHINE = 0.6

export const limit: PlainCheck<'info'> = {
  id: 'memory.limit',
  layer: 'memory',
  title: 'maxmemory',
  why: 'Without a limit Redis grows until the kernel kills it, and everything of the last moments is lost; with one it refuses a write and serves on.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const max = numberIn(info, 'maxmemory')
    const machine = numberIn(info, 'total_system_memory')
    const evidence = [
      `maxmemory ${max > 0 ? bytesText(max) : 0}`,
      `used_memory ${bytesText(numberIn(info, 'used_memory'))} of ${bytesText(machine)} of the machine`,
    ]
    if (max > 0 && max < machine) return ok('There is a limit.', evidence)
    const proposal = `${Math.floor((machine * SHARE_OF_MACHINE) / 1024 ** 2)}mb`
    return [
      {
        state: 'warn',
        summary: max > 0 ? 'The limit is above what the machine has.' : 'There is no limit of memory.',
        evidence,
        fix: {
          text: 'Set one with room for the fork of a snapshot, for the buffers of clients and for what else runs there.',
          commands: setting('maxmemory', Number.isNaN(machine) ? '<bytes>' : proposal),
        },
        undo: { text: 'Take it away.', commands: setting('maxmemory', String(Number.isNaN(max) ? 0 : max)) },
      },
    ]
  },
}
