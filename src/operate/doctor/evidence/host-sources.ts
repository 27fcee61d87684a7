/** Where the evidence about this machine comes from. */
import { known, mapped, notAvailable, valueOr, type Evidence } from '../../evidence.ts'
import { readAddresses } from '../../host/addresses.ts'
import { readDockerNetworks } from '../../host/docker.ts'
import { chosenWord, kilobyteFields, pressureIn, stealShare } from '../../host/proc.ts'
import { readProcess, readRedisProcesses, type ProcessFacts } from '../../host/process.ts'
import { readListeners } from '../../host/sockets.ts'
import { readUnit } from '../../host/unit.ts'
import { recognise } from '../log/recognise.ts'
import { composeServices, envFiles, redisApplication } from './application-files.ts'
import type { EvidenceContext, EvidenceSource, Sources } from './context.ts'
import { numberIn } from './fields.ts'
import type { HostValues, MachinePressure } from './host-values.ts'
import { dataDirectory, redisConf, redisLog, wantedBind } from './redis-files.ts'
import { redisHere } from './redis-here.ts'
import { redisPackage } from './redis-package.ts'

export const HOST_SOURCES: Sources<HostValues> = {
  redisHere: { reads: 'whether Redis runs on this machine', collect: redisHere },
  overcommit: ofFile('/proc/sys/vm/overcommit_memory', Number),
  somaxconn: ofFile('/proc/sys/net/core/somaxconn', Number),
  hugePages: ofFile('/sys/kernel/mm/transparent_hugepage/enabled', chosenWord),
  machineMemory: ofFile('/proc/meminfo', (text) => {
    const fields = kilobyteFields(text)
    const bytes = (name: string): number => fields.get(name) ?? Number.NaN
    return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable'), swapTotalBytes: bytes('SwapTotal') }
  }),
  pressure: { reads: '/proc/pressure', collect: pressure },
  clockSource: ofFile('/sys/devices/system/clocksource/clocksource0/current_clocksource', (text) => text.trim()),
  cpuSteal: ofFile('/proc/stat', stealShare),
  addresses: { reads: 'ip addr', collect: ({ host }) => readAddresses(host) },
  listeners: { reads: '/proc/net/tcp', collect: ({ host }) => readListeners(host) },
  nonlocalBind: ofFile('/proc/sys/net/ipv4/ip_nonlocal_bind', (text) => text.trim() === '1'),
  ipv6Off: { reads: '/proc/sys/net/ipv6', collect: ipv6Off },
  redisConf: { reads: 'redis.conf', collect: redisConf },
  wantedBind: { reads: 'bind', commands: ['config|get'], collect: wantedBind },
  unit: {
    reads: 'systemctl show',
    collect: ({ host, hints }) => readUnit(host, hints.unit === undefined ? undefined : [hints.unit]),
  },
  redisPackage: { reads: 'the package of Redis', collect: redisPackage },
  redisProcesses: { reads: '/proc', collect: ({ host }) => readRedisProcesses(host) },
  redisProcess: { reads: '/proc', collect: redisProcess },
  dataDirectory: { reads: 'the data directory', collect: dataDirectory },
  redisLog: { reads: 'the Redis log', collect: redisLog },
  kernelKills: { reads: 'the kernel log', collect: kernelKills },
  dockerNetworks: { reads: 'docker network inspect', collect: ({ host }) => readDockerNetworks(host) },
  redisApplication: { reads: 'compose files and .env', collect: redisApplication },
  composeServices: { reads: 'compose files', collect: composeServices },
  envFiles: { reads: '.env', collect: envFiles },
}

function ofFile<Value>(path: string, read: (text: string) => Value): EvidenceSource<Value> {
  return { reads: path, collect: async ({ host }) => mapped(await host.readFile(path), read) }
}

async function pressure({ host }: EvidenceContext): Promise<Evidence<MachinePressure>> {
  const memory = await host.readFile('/proc/pressure/memory')
  if (memory.kind !== 'known') return memory
  const measured = pressureIn(memory.value)
  if (measured === undefined) return notAvailable('the kernel does not measure pressure (psi=0)')
  return known({ memory: measured, io: pressureIn(valueOr(await host.readFile('/proc/pressure/io'), '')) })
}

async function ipv6Off({ host }: EvidenceContext): Promise<Evidence<boolean>> {
  const loopback = await host.readFile('/proc/sys/net/ipv6/conf/lo/disable_ipv6')
  if (loopback.kind === 'known') return known(loopback.value.trim() === '1')
  // A kernel without IPv6 has no such folder; a machine without /proc has not even the first file.
  const four = await host.readFile('/proc/sys/net/ipv4/ip_nonlocal_bind')
  return four.kind === 'known' ? known(true) : loopback
}

/** The one that the server names as itself; of a server that does not answer, the only one that runs. */
async function redisProcess(context: EvidenceContext): Promise<Evidence<ProcessFacts>> {
  const all = await context.evidence('redisProcesses')
  if (all.kind !== 'known') return all
  const info = await context.evidence('info')
  const pid = info.kind === 'known' ? numberIn(info.value, 'process_id') : undefined
  const candidates = pid === undefined ? all.value : all.value.filter((one) => one.pid === pid)
  const [one] = candidates
  if (one === undefined) return notAvailable('no process of Redis runs here')
  if (candidates.length > 1)
    return notAvailable(`${candidates.length} Redis servers run here, and none says which one it is`)
  return await readProcess(context.host, one)
}

const KILLS = ['-k', '-n', '20000', '--no-pager', '-o', 'short-iso', '--grep', 'Out of memory|oom-kill']

async function kernelKills({ host }: EvidenceContext): Promise<Evidence<readonly string[]>> {
  const journal = await host.run('journalctl', KILLS)
  const log = journal.kind === 'known' && journal.value.stderr === '' ? journal : await host.run('dmesg', ['--ctime'])
  if (log.kind !== 'known') return log
  if (log.value.code !== 0 && log.value.stdout === '') return notAvailable('the kernel log cannot be read here')
  const lines = log.value.stdout.split('\n')
  return known(lines.filter((line) => recognise(line)?.code === 'host.oom-kills').slice(-5))
}
