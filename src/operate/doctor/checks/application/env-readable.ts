/** May every user of this machine read the passwords of the application? */
import { secretsIn } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const OTHERS_READ = 0o004

export const envReadable: PlainCheck<'envFiles'> = {
  id: 'application.env-readable',
  layer: 'application',
  title: 'who may read .env',
  why: 'A file that every user may read gives its passwords to every process of the machine.',
  severity: 'warn',
  needs: ['envFiles'],
  judge: ({ envFiles }) => {
    const secret = envFiles.filter(({ variables }) => secretsIn(variables).length > 0)
    if (secret.length === 0) return nothingToJudge('No password stands in them.')
    const open = secret.filter(({ mode }) => (mode & OTHERS_READ) !== 0)
    if (open.length === 0)
      return ok(
        'Only those who need to may read them.',
        secret.map(({ path }) => path),
      )
    return [
      {
        state: 'warn',
        summary: 'Every user of this machine may read a file with passwords.',
        evidence: open.map(({ path, mode }) => `${path}: mode ${mode.toString(8).padStart(4, '0')}`),
        fix: { text: 'Leave it to its owner.', commands: open.map(({ path }) => `chmod 600 ${path}`) },
        undo: {
          text: 'Set the mode back.',
          commands: open.map(({ path, mode }) => `chmod ${mode.toString(8)} ${path}`),
        },
      },
    ]
  },
}
