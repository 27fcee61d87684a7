/** Do the memory of a Redis container and maxmemory fit together? */
import { commandSetting, isRedisService, isSentinelService, type ComposeService } from '../../../host/compose.ts'
import { memoryBytes } from '../../../host/redis-conf.ts'
import { bytesText } from '../words.ts'
import { nothingToJudge, ok, type Outcome, type PlainCheck } from '../../check.ts'

const SHARE = 0.75

export const containerMemory: PlainCheck<'composeServices'> = {
  id: 'application.container-memory',
  layer: 'application',
  title: 'memory limit of Redis containers against maxmemory',
  why: 'A Redis without maxmemory grows until the kernel kills it, or something beside it; one with a limit above that of its container dies before it evicts.',
  severity: 'fail',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const redis = composeServices.filter((service) => isRedisService(service) && !isSentinelService(service))
    // A file that is mounted says what the command does not.
    const told = redis.filter(({ command }) => !command.some((word) => word.endsWith('.conf')))
    if (told.length === 0) return nothingToJudge('No Redis of the compose files has its settings in its command.')
    const found = told.flatMap(outcomesOf)
    return found.length > 0 ? found : ok('maxmemory leaves room below the limit of the container.')
  },
}

function outcomesOf(service: ComposeService): readonly Outcome[] {
  const { name, file, memoryLimitBytes: limit } = service
  const text = commandSetting(service, 'maxmemory')
  const maxmemory = text === undefined ? 0 : memoryBytes(text)
  const evidence = [
    `${file}: service ${name}: memory limit ${limit === undefined ? 'none' : bytesText(limit)}, maxmemory ${text ?? 'none'}`,
  ]
  if (maxmemory > 0 && (limit === undefined || maxmemory <= SHARE * limit)) return []
  if (limit === undefined)
    return [{ state: 'warn', summary: `Service ${name} may take all the memory of the machine.`, evidence, fix: FIX }]
  const dies = maxmemory === 0 || maxmemory >= limit
  const summary = dies
    ? `The kernel kills the Redis of service ${name} before it knows that memory is used up.`
    : `maxmemory of service ${name} leaves too little for buffers and for the fork of a snapshot.`
  return [{ state: dies ? 'fail' : 'warn', summary, evidence, fix: FIX }]
}

const FIX = {
  text: 'Set both: `--maxmemory` in the command to at most three quarters of `mem_limit` (or `deploy.resources.limits.memory`).',
}
