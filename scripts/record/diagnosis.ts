/**
 * `npm run record -- diagnosis`: a Redis whose snapshots fail, on a terminal. What most health checks ask is content with it;
 * what Evenkeel says of it stands below. Every command is run by a shell, and every line is what was said.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { root } from '../project.ts'
import { mustRun } from '../command.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { snapshotFails } from '../../test/support/redis-states.ts'

const EVENKEEL = `${process.execPath} --conditions=evenkeel-source ${resolve(root, 'src/cli/main.ts')}`
/** Stands in what the doctor says. */
const DATA = '/tmp/redis'
const SAID = '; echo "exit code $?"'

export async function recordDiagnosis(): Promise<string> {
  mkdirSync(DATA)
  try {
    await using redis = await RedisServer.start({ directory: DATA })
    return await shown(redis)
  } finally {
    rmSync(DATA, { recursive: true })
  }
}

async function shown(redis: RedisServer): Promise<string> {
  await using _ = await snapshotFails(redis)
  const lines: string[] = []
  const show = async (command: string): Promise<void> => {
    const script = `${command.replace('evenkeel', EVENKEEL)}${SAID}`
    const said = await mustRun(['sh', '-c', `export REDIS_URL=${redis.url}; ${script}`])
    lines.push(`$ ${command}${SAID}`, said.trimEnd(), '')
  }
  lines.push(`$ export REDIS_URL=${redis.url}`, '')
  await show(`redis-cli -p ${redis.port} ping`)
  await show('evenkeel check --probes 0')
  await show('evenkeel doctor --only persistence')
  return lines.join('\n').trimEnd()
}
