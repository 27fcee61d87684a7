/** The files of a Redis on this machine: its configuration, its log, its data. */
import { isAbsolute, join } from 'node:path'
import { known, notAvailable, valueOr, type Evidence } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import { mountOf } from '../../host/proc.ts'
import { bindAddresses, directive, readRedisConf, setting, type RedisConf } from '../../host/redis-conf.ts'
import { startCommand } from '../../host/unit.ts'
import { LogTally, type LogSummary } from '../log/summary.ts'
import type { EvidenceContext } from './context.ts'
import type { DataDirectory, WantedBind } from './host-values.ts'

/** Where distributions, source installations and Homebrew put it. */
const CONF_PATHS = [
  '/etc/redis/redis.conf',
  '/etc/redis.conf',
  '/etc/valkey/valkey.conf',
  '/etc/valkey.conf',
  '/etc/redis/6379.conf',
  '/usr/local/etc/redis.conf',
  '/usr/local/etc/redis/redis.conf',
  '/opt/homebrew/etc/redis.conf',
]

/** The file that was told, else the one that the server names, else that of the unit, else the first of the usual ones. */
export async function redisConf(context: EvidenceContext): Promise<Evidence<RedisConf>> {
  const { host, hints } = context
  if (hints.redisConf !== undefined) return await readRedisConf(host, hints.redisConf)
  const unit = await context.evidence('unit')
  const command = unit.kind === 'known' ? startCommand(unit.value) : []
  const info = await context.evidence('info')
  const served = info.kind === 'known' ? info.value.get('config_file')?.trim() : undefined
  if (served === '') return notAvailable('this Redis was started without a redis.conf')
  const named = command.find((word) => word.endsWith('.conf'))
  const paths = [served, named].flatMap((path) => path ?? [])
  for (const path of paths.length > 0 ? paths : CONF_PATHS) {
    const conf = await readRedisConf(host, path, path === named ? command : [])
    if (conf.kind !== 'not-available') return conf
  }
  return notAvailable(`no redis.conf here: ${(paths.length > 0 ? paths : CONF_PATHS).join(', ')}`)
}

/** The running server's own word counts; of one that does not run, its file's. */
export async function wantedBind(context: EvidenceContext): Promise<Evidence<WantedBind>> {
  const config = await context.evidence('config')
  if (config.kind === 'known' && config.value.has('bind')) {
    const { value } = config
    return known({
      addresses: bindAddresses([value.get('bind') ?? '']),
      port: Number(value.get('port') ?? 0),
      tlsPort: Number(value.get('tls-port') ?? 0),
      from: 'the running server',
    })
  }
  const conf = await context.evidence('redisConf')
  if (conf.kind !== 'known') return conf
  const bind = directive(conf.value, 'bind')
  return known({
    addresses: bindAddresses(bind?.values),
    port: Number(setting(conf.value, 'port') ?? 6379),
    tlsPort: Number(setting(conf.value, 'tls-port') ?? 0),
    from: bind === undefined ? conf.value.path : `${bind.file}:${bind.line}`,
  })
}

/** What CONFIG GET says, else what stands in redis.conf. */
async function settingOf(context: EvidenceContext, name: string): Promise<string | undefined> {
  const config = await context.evidence('config')
  const running = config.kind === 'known' ? config.value.get(name) : undefined
  if (running !== undefined) return running
  const conf = await context.evidence('redisConf')
  return conf.kind === 'known' ? setting(conf.value, name) : undefined
}

const LOG_TAIL_BYTES = 262_144
/** Redis writes this when it starts; what stands above it is of an earlier life. */
const STARTED = /oO0OoO0OoO0Oo|Redis is starting|Server started, Redis version/

export async function redisLog(context: EvidenceContext): Promise<Evidence<LogSummary>> {
  const path = (await settingOf(context, 'logfile')) ?? ''
  if (path !== '') {
    const text = await context.host.readFile(path, { maxBytes: LOG_TAIL_BYTES, fromEnd: true })
    return text.kind === 'known' ? known(sinceStart(path, text.value)) : text
  }
  const unit = await context.evidence('unit')
  if (unit.kind !== 'known' || unit.value.source !== 'systemctl')
    return notAvailable('Redis writes its log to its standard output, which was kept elsewhere: give it with --log')
  const { name } = unit.value
  const shown = await context.host.run('journalctl', [
    '-u',
    `${name}.service`,
    '-n',
    '500',
    '--no-pager',
    '-o',
    'short-iso',
  ])
  if (shown.kind !== 'known') return shown
  return known(sinceStart(`journalctl -u ${name}`, shown.value.stdout))
}

function sinceStart(source: string, text: string): LogSummary {
  const lines = text.split('\n')
  const start = lines.findLastIndex((line) => STARTED.test(line))
  const tally = new LogTally(source)
  for (const line of lines.slice(Math.max(0, start))) tally.add(line)
  return tally.summary()
}

export async function dataDirectory(context: EvidenceContext): Promise<Evidence<DataDirectory>> {
  const { host } = context
  const path = await settingOf(context, 'dir')
  if (path === undefined || !isAbsolute(path)) return notAvailable('where Redis keeps its data is not known')
  const facts = await host.stat(path)
  if (facts.kind !== 'known') return facts
  const mount = mountOf(valueOr(await host.readFile('/proc/self/mountinfo'), ''), path)
  const { uid, mode } = facts.value
  const [freeBytes, freeInodes, dataBytes] = await Promise.all([
    free(host, '-Pk', path),
    free(host, '-Pi', path),
    bytesOfData(host, path),
  ])
  const place = { fileSystem: mount?.type, readOnly: mount?.readOnly === true }
  return known({ path, uid, mode, freeBytes: freeBytes * 1024, freeInodes, dataBytes, ...place })
}

/** The fourth column of `df` in the format of POSIX; NaN where it is not told. */
async function free(host: Host, option: string, path: string): Promise<number> {
  const shown = await host.run('df', [option, path])
  const line = shown.kind === 'known' ? shown.value.stdout.trim().split('\n').at(-1) : undefined
  const column = line?.split(/\s+/)[3]
  return column === undefined || !/^\d+$/.test(column) ? Number.NaN : Number(column)
}

const DATA_FILES = /\.rdb$|\.aof$/
const MAX_FILES = 64

async function bytesOfData(host: Host, path: string): Promise<number> {
  const folders = [path, join(path, 'appendonlydir')]
  const names = await Promise.all(
    folders.map(async (folder) => valueOr(await host.list(folder), []).map((name) => join(folder, name))),
  )
  const files = names
    .flat()
    .filter((name) => DATA_FILES.test(name))
    .slice(0, MAX_FILES)
  const facts = await Promise.all(files.map(async (file) => valueOr(await host.stat(file), undefined)))
  return facts.reduce((sum, one) => sum + (one?.bytes ?? 0), 0)
}
