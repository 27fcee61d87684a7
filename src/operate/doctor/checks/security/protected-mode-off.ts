/** Is the last fence down while there is no password? */
import { ok, type DoctorCheck } from '../../check.ts'
import { SET_PASSWORD } from '../../shell.ts'
import { setting, told } from '../words.ts'
import { isOpen, isReachable } from './listeners.ts'

export const protectedModeOff: DoctorCheck<'config', 'users'> = {
  id: 'security.protected-mode-off',
  layer: 'security',
  title: 'protected mode of a server without a password',
  why: 'Switched off to get rid of DENIED it opens the server to everybody; such servers are found and taken over within hours.',
  severity: 'fail',
  needs: ['config'],
  wants: ['users'],
  judge: ({ config, users }) => {
    const evidence = told(config, 'protected-mode', 'bind')
    if (config.get('protected-mode') !== 'no') return ok('Protected mode is on.', evidence)
    if (!isOpen(config, users)) return ok('Protected mode is off, and a password is needed.', evidence)
    return [
      {
        state: isReachable(config) ? 'fail' : 'info',
        summary: 'Protected mode is off and there is no password.',
        evidence,
        fix: {
          text: 'Set a password, then switch protected mode on again.',
          commands: [...SET_PASSWORD, ...setting('protected-mode', 'yes')],
        },
        undo: { text: 'Switch it off again.', commands: setting('protected-mode', 'no') },
      },
    ]
  },
}
