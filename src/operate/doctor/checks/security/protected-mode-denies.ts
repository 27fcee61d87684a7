/** Does protected mode turn away those for whom the server was bound to more than loopback? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { SET_PASSWORD } from '../../shell.ts'
import { told } from '../words.ts'
import { boundTo, isEverywhere, isLoopback, isOpen, isProtected } from './listeners.ts'

export const protectedModeDenies: DoctorCheck<'config' | 'info', 'users'> = {
  id: 'security.protected-mode-denies',
  layer: 'security',
  title: 'protected mode against the addresses of bind',
  why: 'Since Redis 7.0 a server without a password answers everybody but this machine with DENIED, whatever bind says: after an upgrade the containers are locked out.',
  severity: 'fail',
  needs: ['config', 'info'],
  wants: ['users'],
  explains: ['protected-mode'],
  judge: ({ config, info, users }) => {
    const others = boundTo(config).filter((address) => !isLoopback(address))
    if (others.length === 0) return nothingToJudge('The server listens for this machine only.')
    const evidence = told(config, 'bind', 'protected-mode')
    if (!isOpen(config, users) || !isProtected(config, info.get('redis_version') ?? ''))
      return ok('It turns nobody away.', evidence)
    // As it comes out of the box, it is more often meant for this machine alone than not.
    const meant = others.some((address) => !isEverywhere(address))
    return [
      {
        state: meant ? 'fail' : 'info',
        summary: `Clients that come from elsewhere, by ${others.join(' or ')}, are answered with DENIED.`,
        evidence,
        fix: {
          text: 'Set a password, and leave protected mode on.',
          commands: SET_PASSWORD,
        },
        undo: { text: 'Take the password away again.', commands: ["redis-cli --askpass CONFIG SET requirepass ''"] },
      },
    ]
  },
}
