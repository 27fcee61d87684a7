/** Is the running server what its redis.conf would make of it? */
import { directive, memoryBytes, type RedisConf } from '../../../host/redis-conf.ts'
import type { Fields } from '../../evidence/server-values.ts'
import { ok, type PlainCheck } from '../../check.ts'

/** What a restart would change for clients or data. */
const COMPARED = [
  'bind',
  'port',
  'tls-port',
  'protected-mode',
  'maxmemory',
  'maxmemory-policy',
  'appendonly',
  'maxclients',
  'dir',
]
const SECRETS = ['requirepass', 'masterauth']

export const confDrift: PlainCheck<'redisHere' | 'redisConf' | 'config'> = {
  id: 'host.conf-drift',
  layer: 'host',
  title: 'the running settings against redis.conf',
  why: 'What was set with CONFIG SET, or edited without a restart, changes with the next start: then a password, a limit or an address is suddenly another one.',
  severity: 'warn',
  needs: ['redisHere', 'redisConf', 'config'],
  judge: ({ redisConf, config }) => {
    const different = [
      ...COMPARED.flatMap((name) => differing(name, redisConf, config)),
      ...SECRETS.flatMap((name) => differingSecret(name, redisConf, config)),
    ]
    if (different.length === 0) return ok('A restart changes nothing that matters.', [redisConf.path])
    return [
      {
        state: 'warn',
        summary: `The next start changes ${different.length === 1 ? 'a setting' : `${different.length} settings`} of this server.`,
        evidence: different,
        fix: {
          text: 'Keep what runs by writing it into the file, or take over what the file says. CONFIG REWRITE writes passwords in clear into redis.conf.',
          commands: ['redis-cli CONFIG REWRITE'],
        },
      },
    ]
  },
}

function differing(name: string, conf: RedisConf, config: Fields): readonly string[] {
  const written = directive(conf, name)
  const running = config.get(name)
  if (written === undefined || running === undefined) return []
  const text = written.values.join(' ')
  const same = name === 'maxmemory' ? memoryBytes(text) === Number(running) : text === running
  return same ? [] : [`${name}: ${running} now, ${text} in ${written.file}:${written.line}`]
}

/** Values are compared, and never shown. */
function differingSecret(name: string, conf: RedisConf, config: Fields): readonly string[] {
  const running = config.get(name)
  if (running === undefined) return []
  const written = directive(conf, name)?.values[0] ?? ''
  if (written === running) return []
  if (written === '') return [`${name}: set now, not in ${conf.path}`]
  return [running === '' ? `${name}: not set now, in ${conf.path}` : `${name}: another one now than in ${conf.path}`]
}
