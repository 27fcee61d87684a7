/** May anybody who reaches the port come in? */
import { ok, type DoctorCheck, type Outcome } from '../../check.ts'
import { SET_PASSWORD } from '../../shell.ts'
import { told } from '../words.ts'
import { isOpen, isProtected, isReachable } from './listeners.ts'

export const password: DoctorCheck<'config' | 'info', 'users'> = {
  id: 'security.password',
  layer: 'security',
  title: 'password of the default user',
  why: 'Without one everybody who reaches the port reads, deletes and, by CONFIG, writes files.',
  severity: 'fail',
  needs: ['config', 'info'],
  wants: ['users'],
  judge: ({ config, info, users }) => {
    const open = isOpen(config, users)
    const evidence = [
      ...told(config, 'bind', 'protected-mode'),
      open ? 'the default user needs no password' : 'the default user needs a password, or is off',
    ]
    if (!open) return ok('Nobody comes in without a password.', evidence)
    if (!isReachable(config)) return [without('info', 'No password; only this machine can reach the server.', evidence)]
    if (isProtected(config, info.get('redis_version') ?? ''))
      return [without('info', 'No password; protected mode turns away whoever comes from elsewhere.', evidence)]
    return [without('fail', 'Whoever reaches this server comes in without a password.', evidence)]
  },
}

function without(state: 'info' | 'fail', summary: string, evidence: readonly string[]): Outcome {
  return {
    state,
    summary,
    evidence,
    fix: {
      text: 'Give the applications the password first (those that send one without need only get a warning), then set it.',
      commands: SET_PASSWORD,
    },
    undo: { text: 'Take it away again.', commands: ["redis-cli --askpass CONFIG SET requirepass ''"] },
  }
}
