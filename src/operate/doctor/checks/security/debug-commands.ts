/** Are commands switched on that Redis keeps off since 7.0? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { told } from '../words.ts'

const SWITCHES = ['enable-protected-configs', 'enable-debug-command', 'enable-module-command']

export const debugCommands: PlainCheck<'config'> = {
  id: 'security.debug-commands',
  layer: 'security',
  title: 'DEBUG, MODULE and protected settings',
  why: 'They let a client stop the server, load code into it, or move its files: the usual second step of a break-in.',
  severity: 'warn',
  needs: ['config'],
  judge: ({ config }) => {
    const present = SWITCHES.filter((name) => config.has(name))
    if (present.length === 0) return nothingToJudge('Before 7.0 there are no switches for these.')
    const open = present.filter((name) => config.get(name) === 'yes')
    const evidence = told(config, ...present)
    if (open.length === 0) return ok('All are off for clients from elsewhere.', evidence)
    return [
      {
        state: 'warn',
        summary: `${open.join(', ')}: on for every client.`,
        evidence,
        fix: {
          text: 'Set them to no or local in redis.conf; this needs a restart, for a running server does not let them be changed.',
        },
      },
    ]
  },
}
