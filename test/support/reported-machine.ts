/**
 * The host of the field report that setup began with, as a machine that boots: Redis binds two bridges of Docker, which
 * come when the test lets them. systemd, its units, its sysctl and Redis are those of Debian; Docker is a unit that makes bridges.
 */
import { readFileSync } from 'node:fs'
import { Machine } from './machine.ts'
import { requireProgram } from './provision.ts'
import { eventually } from './wait.ts'

export const BRIDGES = ['172.30.0.1', '172.31.0.1']
export const REDIS_CONF = '/etc/redis/redis.conf'

const SIGNAL = '/run/bridges-may-come'
/** Says at once that it is ready; the bridges come later, as with networks that compose makes. */
const DOCKER = `[Unit]
Description=Bridges that come late
[Service]
Type=simple
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until [ -e ${SIGNAL} ]; do sleep 0.1; done; for n in 30 31; do ip link add br-$n type bridge; ip address add 172.$n.0.1/16 dev br-$n; ip link set br-$n up; done'
`

/** Switched off. */
export async function reportedMachine(): Promise<Machine> {
  await requireProgram('redis-server')
  const machine = await Machine.create({ units: ['redis-server.service'] })
  const unit = '/lib/systemd/system/docker.service'
  await machine.write(unit, DOCKER)
  await machine.shell(`ln -s ${unit} ${machine.root}/etc/systemd/system/multi-user.target.wants/`)
  await machine.write(REDIS_CONF, reportedConfiguration())
  return machine
}

/** Debian's file with the line of the report. */
export function reportedConfiguration(): string {
  return readFileSync(REDIS_CONF, 'utf8').replace(/^bind .*$/m, `bind 127.0.0.1 ${BRIDGES.join(' ')} ::1`)
}

export async function bridgesOf(machine: Machine): Promise<readonly string[]> {
  const addresses = await machine.command('ip', '-o', 'address')
  return BRIDGES.filter((address) => addresses.includes(address))
}

/** Once per boot. Resolves when they are there. */
export async function letBridgesCome(machine: Machine): Promise<void> {
  await machine.command('touch', SIGNAL)
  await eventually('the bridges', async () => (await bridgesOf(machine)).length === BRIDGES.length)
}
