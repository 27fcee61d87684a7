/** Who may do what, and who was denied. */
import type { Reply } from '../../../link/index.ts'
import { mapped } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import { CLIENT_NAME } from '../../probes/redis-layers.ts'
import { fieldsOfPairs, itemsOf, numberIn } from './fields.ts'
import type { AclUser, Denial, ServerValues } from './server-values.ts'

const DENIALS = 20

export const users: EvidenceSource<ServerValues['users']> = {
  reads: 'ACL LIST',
  commands: ['acl|list'],
  collect: async ({ server }) =>
    mapped(await server.ask('ACL', 'LIST'), (reply) => itemsOf(reply).map((line) => userOf(String(line)))),
}

export const denials: EvidenceSource<ServerValues['denials']> = {
  reads: 'ACL LOG',
  commands: ['acl|log'],
  collect: async ({ server }) =>
    mapped(await server.ask('ACL', 'LOG', String(DENIALS)), (reply) =>
      // What was denied to the doctor himself is no news.
      itemsOf(reply)
        .filter((entry) => !fieldsOfPairs(entry).get('client-info')?.includes(` name=${CLIENT_NAME} `))
        .map(denialOf),
    ),
}

/** `user app on #<hash> ~cache:* &* -@all +get`. */
export function userOf(line: string): AclUser {
  const [, name = '', ...rules] = line
    .replaceAll(/\([^)]*\)/g, '')
    .trim()
    .split(/\s+/)
  return {
    name,
    enabled: rules.includes('on'),
    needsPassword: !rules.includes('nopass'),
    passwordHashes: rules.filter((rule) => rule.startsWith('#')).map((rule) => rule.slice(1)),
    commands: rules.filter((rule) => /^[+-]/.test(rule) || rule === 'allcommands'),
    keys: rules.filter((rule) => /^[~%]/.test(rule) || rule === 'allkeys'),
  }
}

function denialOf(entry: Reply): Denial {
  const fields = fieldsOfPairs(entry)
  return {
    reason: fields.get('reason') ?? 'not told',
    user: fields.get('username') ?? 'not told',
    count: numberIn(fields, 'count'),
    secondsAgo: numberIn(fields, 'age-seconds'),
  }
}
