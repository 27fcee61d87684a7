/** May users of applications do what only an operator should? */
import { ok, type PlainCheck } from '../../check.ts'
import { makePasswordFile, withPassword } from '../../shell.ts'
import { some } from '../words.ts'

export const dangerousCommands: PlainCheck<'users'> = {
  id: 'security.dangerous-commands',
  layer: 'security',
  title: 'rights of the ACL users',
  why: 'An application that may run FLUSHALL, CONFIG or DEBUG can be made to by whoever breaks into it.',
  severity: 'warn',
  needs: ['users'],
  judge: ({ users }) => {
    const enabled = users.filter(({ enabled }) => enabled)
    const mighty = enabled.filter(({ commands }) => mayAll(commands)).map(({ name }) => name)
    const evidence = some(enabled.map(({ name, commands }) => `user ${name}: ${commands.join(' ')}`))
    if (mighty.length === 0) return ok('No user may do everything.', evidence)
    const onlyDefault = enabled.length === 1 && mighty[0] === 'default'
    return [
      {
        state: onlyDefault ? 'info' : 'warn',
        summary: onlyDefault
          ? 'There is one user for everything, and he may do everything.'
          : `${mighty.join(', ')} may run every command.`,
        evidence,
        fix: {
          text: 'Give each application a user of its own that may do what it does.',
          commands: [
            makePasswordFile('app-password'),
            withPassword('>', 'app-password', "ACL SETUSER <app> on '~<prefix>:*' '&*' +@all -@dangerous -@admin"),
            'redis-cli ACL SAVE',
          ],
        },
        undo: { text: 'Take the user away.', commands: ['redis-cli ACL DELUSER <app>'] },
      },
    ]
  },
}

/** Rules count in their order: `+@all` and nothing dangerous taken away after it. */
function mayAll(commands: readonly string[]): boolean {
  const all = Math.max(commands.lastIndexOf('+@all'), commands.lastIndexOf('allcommands'))
  return all >= 0 && !commands.slice(all).some((rule) => /^-@(all|dangerous|admin)$|^-(flushall|config)$/.test(rule))
}
