/** Can every server log in to every other one, also after a failover? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import type { NodeFacts } from '../../evidence/server-values.ts'

export const masterPassword: PlainCheck<'nodes'> = {
  id: 'replication.master-password',
  layer: 'replication',
  title: 'masterauth on every server',
  why: 'A master that becomes a replica after a failover needs masterauth itself: without it, it never gets the data again and the group has lost a server without a word.',
  severity: 'fail',
  needs: ['nodes'],
  judge: ({ nodes }) => {
    const asked = nodes.filter(({ config }) => config.has('masterauth'))
    if (nodes.length < 2) return nothingToJudge('This server stands alone.')
    if (asked.length === 0)
      return [{ state: 'not-available', summary: 'No server of the group tells its settings.', evidence: [] }]
    const locked = asked.some(({ config }) => (config.get('requirepass') ?? '') !== '')
    const evidence = asked.map(wordsOf)
    if (!locked) return ok('They need no password among themselves.', evidence)
    const without = asked.filter(({ config }) => config.get('masterauth') === '')
    if (without.length === 0) return ok('All have it.', evidence)
    return [
      {
        state: 'fail',
        summary: `masterauth is missing on ${without.map(({ place }) => place).join(', ')}.`,
        evidence,
        fix: {
          text: 'Set it on every server, the master too. The first command waits for the password: type it, then Enter and Ctrl-D.',
          commands: [
            "(umask 077; tr -d '\\n' > redis-password)",
            'REDISCLI_AUTH="$(cat redis-password)" redis-cli -h <each server> -x CONFIG SET masterauth < redis-password',
            'REDISCLI_AUTH="$(cat redis-password)" redis-cli -h <each server> CONFIG REWRITE',
          ],
        },
        undo: { text: 'Take it away.', commands: ["redis-cli --askpass -h <server> CONFIG SET masterauth ''"] },
      },
    ]
  },
}

/** That there is one, never which. */
function wordsOf({ place, info, config }: NodeFacts): string {
  const has = (name: string): string => ((config.get(name) ?? '') === '' ? 'none' : 'set')
  return `${place} (${info.get('role')}): requirepass ${has('requirepass')}, masterauth ${has('masterauth')}`
}
