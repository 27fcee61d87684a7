/** Is there space for the next snapshot? */
import { numberIn } from '../../evidence/fields.ts'
import { bytesText } from '../words.ts'
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'

const FEW_INODES = 1000

export const diskSpace: DoctorCheck<'redisHere' | 'dataDirectory', 'info'> = {
  id: 'host.disk-space',
  layer: 'host',
  title: 'space in the data directory',
  why: 'A snapshot and a rewrite are written beside the old file before they take its place; when the disk is full Redis refuses writes (MISCONF).',
  severity: 'fail',
  needs: ['redisHere', 'dataDirectory'],
  wants: ['info'],
  explains: ['snapshot-failing', 'aof-failing'],
  judge: ({ dataDirectory: { path, freeBytes, freeInodes, dataBytes }, info }) => {
    if (Number.isNaN(freeBytes)) return nothingToJudge(`How much space is left in ${path} is not known here.`)
    const used = info === undefined ? Number.NaN : numberIn(info, 'used_memory')
    // A server without files yet will write at most what it has in memory.
    const need = Math.max(dataBytes, Number.isNaN(used) ? 0 : used)
    const evidence = [
      `${path}: ${bytesText(freeBytes)} free, files ${bytesText(dataBytes)}`,
      ...(used > 0 ? [`used_memory ${bytesText(used)}`] : []),
    ]
    if (freeInodes < FEW_INODES)
      return [{ state: 'warn', summary: `Only ${freeInodes} more files can be made in ${path}.`, evidence, fix: FREE }]
    if (freeBytes >= 2 * need) return ok('There is space for the next snapshot and rewrite.', evidence)
    return [
      {
        state: freeBytes < need ? 'fail' : 'warn',
        summary:
          freeBytes < need ? `There is no space for the next snapshot in ${path}.` : `Space in ${path} is short.`,
        evidence,
        fix: FREE,
      },
    ]
  },
}

const FREE = {
  text: 'Free space, or give the data directory a larger disk. Old `temp-*.rdb` of snapshots that failed may be deleted.',
  commands: ['df -h <dir>', 'df -i <dir>', 'ls -lh <dir>'],
}
