/** Can Redis write where its data belongs, and does it last there? */
import type { DataDirectory } from '../../evidence/host-values.ts'
import { ok, type DoctorCheck, type Outcome } from '../../check.ts'

export const dataDirectory: DoctorCheck<'redisHere' | 'dataDirectory', 'redisProcess'> = {
  id: 'host.data-directory',
  layer: 'host',
  title: 'the data directory',
  why: 'Where Redis cannot write it cannot save, and refuses writes (MISCONF); what is in memory or on a network file system may not be there after the next start.',
  severity: 'fail',
  needs: ['redisHere', 'dataDirectory'],
  wants: ['redisProcess'],
  explains: ['snapshot-failing', 'aof-failing'],
  judge: ({ dataDirectory: directory, redisProcess }) => {
    const { path, uid, mode, fileSystem, readOnly } = directory
    const evidence = [
      `${path}: owner ${uid}, mode ${mode.toString(8).padStart(4, '0')}, file system ${fileSystem ?? 'not known'}`,
    ]
    if (redisProcess !== undefined) evidence.push(`Redis runs as user ${redisProcess.uid}`)
    const cannot = readOnly || (redisProcess !== undefined && !mayWrite(directory, redisProcess.uid))
    if (cannot) return [{ ...unwritable(directory), evidence }]
    const other = unsafe(directory)
    return other === undefined ? ok('Redis can write there.', evidence) : [{ ...other, evidence }]
  },
}

/** Groups are given the benefit of the doubt: which ones a process has is another question. */
function mayWrite({ uid, mode }: DataDirectory, user: number): boolean {
  if (user === 0 || Number.isNaN(user)) return true
  return user === uid ? (mode & 0o200) !== 0 : (mode & 0o022) !== 0
}

function unwritable({ path, readOnly }: DataDirectory): Omit<Outcome, 'evidence'> {
  if (readOnly)
    return {
      state: 'fail',
      summary: `${path} is mounted read-only.`,
      fix: {
        text: 'A disk with errors is remounted so by the kernel: look there first. In a container take `:ro` from the volume; under systemd add the path to ReadWritePaths=.',
        commands: ['dmesg -T | tail -50', 'sudo mount -o remount,rw <mount point>'],
      },
    }
  return {
    state: 'fail',
    summary: `Redis may not write into ${path}.`,
    fix: {
      text: 'Give the directory to the user that Redis runs as.',
      commands: [`sudo chown -R redis:redis ${path}`, 'redis-cli BGSAVE'],
    },
  }
}

function unsafe({ path, fileSystem = '' }: DataDirectory): Omit<Outcome, 'evidence'> | undefined {
  if (/^(nfs|cifs|smb|fuse\.sshfs|9p)/.test(fileSystem))
    return {
      state: 'warn',
      summary: `${path} is on a network file system (${fileSystem}).`,
      fix: {
        text: 'An fsync over the network stalls Redis, and a server that goes away freezes it. Put the data on a local disk, and backups elsewhere.',
      },
    }
  if (fileSystem === 'tmpfs' || fileSystem === 'ramfs')
    return {
      state: 'warn',
      summary: `${path} is in memory (${fileSystem}): what is saved there is gone with the next boot.`,
      fix: { text: 'Put the data on a disk, unless all of it may be lost.' },
    }
  return undefined
}
