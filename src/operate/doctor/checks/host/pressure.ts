/** Do programs of this machine wait for memory or disk? */
import { ok, type Outcome, type PlainCheck } from '../../check.ts'

/** Shares of the last minute in which something had to wait. */
const MEMORY_SHARE = 0.05
const DISK_SHARE = 0.3

export const pressure: PlainCheck<'redisHere' | 'pressure'> = {
  id: 'host.pressure',
  layer: 'host',
  title: 'pressure on memory and disk',
  why: 'A machine that waits for memory or disk makes Redis wait, whatever the commands are.',
  severity: 'warn',
  needs: ['redisHere', 'pressure'],
  judge: ({ pressure: { memory, io } }) => {
    const [, memoryShare] = memory.some
    const diskShare = io?.some[1] ?? 0
    const evidence = [`waited in the last minute: for memory ${percent(memoryShare)}, for disk ${percent(diskShare)}`]
    const found: Outcome[] = []
    if (memoryShare > MEMORY_SHARE)
      found.push({
        state: 'warn',
        summary: 'Programs of this machine wait for memory.',
        evidence,
        fix: SHORT_OF_MEMORY,
      })
    if (diskShare > DISK_SHARE)
      found.push({ state: 'warn', summary: 'Programs of this machine wait for the disk.', evidence, fix: SLOW_DISK })
    return found.length > 0 ? found : ok('Nobody waits much.', evidence)
  },
}

const SHORT_OF_MEMORY = {
  text: 'See who takes it, and move what does not have to run beside Redis.',
  commands: ['ps -eo rss,comm --sort=-rss | head', 'cat /proc/pressure/memory'],
}
const SLOW_DISK = {
  text: 'See who writes. Snapshots and the append-only file want a disk that others leave alone.',
  commands: ['iostat -x 1 5', 'redis-cli INFO persistence'],
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
