/**
 * `npm run record -- setup`: the host of the field report on a terminal. It boots without a Redis, setup mends it, it boots
 * again. Every line is what the commands said; only the addresses that Redis serves are asked with a password from its file.
 */
import { resolve } from 'node:path'
import { root } from '../project.ts'
import type { Machine } from '../../test/support/machine.ts'
import { letBridgesCome, reportedMachine } from '../../test/support/reported-machine.ts'
import { eventually } from '../../test/support/wait.ts'

const EVENKEEL = [process.execPath, '--conditions=evenkeel-source', resolve(root, 'src/cli/main.ts')]
const ADDRESSES = ['127.0.0.1', '172.30.0.1', '172.31.0.1']
const PING = `for a in ${ADDRESSES.join(' ')}; do redis-cli -h $a ping; done`

export async function recordSetup(): Promise<string> {
  await using machine = await reportedMachine()
  const lines: string[] = []
  const show = async (command: string, ...words: string[]): Promise<void> => {
    const said = await machine.command(...(words.length === 0 ? ['sh', '-c', command] : words))
    lines.push(`$ ${command}`, said.trimEnd(), '')
  }
  const bind = "grep '^bind' /etc/redis/redis.conf"
  lines.push('# after a boot; the bridges of Docker came when Redis had given up')
  await boot(machine, 'failed')
  await show(bind)
  await show('systemctl is-active redis-server')
  await show("grep -o 'Could not.*' /var/log/redis/redis-server.log | tail -1")
  await show('evenkeel setup redis-host --apply', 'sh', '-c', `${EVENKEEL.join(' ')} setup redis-host --apply 2>&1`)
  lines.push('# after another boot; REDISCLI_AUTH is the password of /etc/redis/evenkeel-password.conf')
  await boot(machine, 'active')
  await show('systemctl is-active redis-server')
  const password = "export REDISCLI_AUTH=$(awk '{ print $2 }' /etc/redis/evenkeel-password.conf)"
  await eventually(
    'every address',
    async () => (await machine.command('sh', '-c', `${password}; ${PING}`)).match(/PONG/g)?.length === 3,
  )
  await show(PING, 'sh', '-c', `${password}; ${PING}`)
  await show(
    'evenkeel setup redis-host --apply | tail -1',
    'sh',
    '-c',
    `${EVENKEEL.join(' ')} setup redis-host --apply | tail -1`,
  )
  return lines.join('\n').trimEnd()
}

/** Waits for the service to be in its state, then for the bridges. */
async function boot(machine: Machine, state: string): Promise<void> {
  await machine.boot()
  const is = async (): Promise<boolean> =>
    (await machine.command('systemctl', 'is-active', 'redis-server')).trim() === state
  await eventually(`redis-server to be ${state}`, is, { timeoutMs: 30_000 })
  await letBridgesCome(machine)
}
