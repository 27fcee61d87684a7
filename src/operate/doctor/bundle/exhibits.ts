/** What goes into a support archive beside the report: what was seen of the server and of the machine, secrets taken out. */
import type { Evidence } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import type { EvidenceContext, EvidenceName } from '../evidence/context.ts'
import { knownSecrets } from './known-secrets.ts'
import { Redactor } from '../../redactor.ts'

/** One file of the archive. */
export interface Exhibit {
  /** With `/` between folders. */
  readonly path: string
  readonly text: string
}

export interface Exhibits {
  readonly files: readonly Exhibit[]
  /** Takes the same secrets out of another text that goes with them. */
  readonly clean: (text: string) => string
}

/** Evidence in the shapes that the checks read; what tells of keys, clients and users is not among them. */
const FACTS = [
  'diagnosis',
  'redisHere',
  'wantedBind',
  'addresses',
  'listeners',
  'nonlocalBind',
  'ipv6Off',
  'machineMemory',
  'pressure',
  'overcommit',
  'somaxconn',
  'hugePages',
  'clockSource',
  'cpuSteal',
  'redisProcesses',
  'redisProcess',
  'dataDirectory',
  'redisLog',
  'kernelKills',
  'dockerNetworks',
] as const satisfies readonly EvidenceName[]

const FILES = ['/proc/meminfo', '/proc/pressure/memory', '/proc/pressure/io', '/proc/version', '/etc/os-release']
const MAX_BYTES = 262_144

export async function exhibitsOf(context: EvidenceContext): Promise<Exhibits> {
  const redactor = new Redactor(await knownSecrets(context))
  const all = await Promise.all([
    facts(context),
    server(context),
    configuration(context),
    application(context),
    machine(context.host),
  ])
  const clean = (text: string): string => redactor.text(text)
  return { files: all.flat().map(({ path, text }) => ({ path, text: clean(text) })), clean }
}

async function facts(context: EvidenceContext): Promise<readonly Exhibit[]> {
  return await Promise.all(
    FACTS.map(async (name) => ({ path: `evidence/${name}.json`, text: json(await context.evidence(name)) })),
  )
}

function json(value: unknown): string {
  const plain = (_: string, one: unknown): unknown => (one instanceof Map ? Object.fromEntries(one) : one)
  return `${JSON.stringify(value, plain, 2)}\n`
}

/** INFO and CONFIG GET as they are written; without them the reason why. */
async function server(context: EvidenceContext): Promise<readonly Exhibit[]> {
  const [info, config] = await Promise.all([context.evidence('info'), context.evidence('config')])
  const lines = (fields: ReadonlyMap<string, string>): string =>
    [...fields].map(([name, value]) => `${name} ${value}\n`).join('')
  return [
    { path: 'server/info.txt', text: textOf(info, lines) },
    // A password of three letters is taken out here, where its place is known.
    { path: 'server/config.txt', text: textOf(config, (fields) => lines(new Map([...fields].map(hollowed)))) },
  ]
}

function hollowed([name, value]: readonly [string, string]): readonly [string, string] {
  return /pass|auth$/.test(name) && value !== '' ? [name, '***'] : [name, value]
}

function textOf<Value>(evidence: Evidence<Value>, write: (value: Value) => string): string {
  return evidence.kind === 'known' ? write(evidence.value) : `${evidence.kind}: ${evidence.detail}\n`
}

async function configuration(context: EvidenceContext): Promise<readonly Exhibit[]> {
  const [conf, unit, log] = await Promise.all([
    context.evidence('redisConf'),
    context.evidence('unit'),
    context.evidence('redisLog'),
  ])
  const confFiles = conf.kind === 'known' ? [conf.value.path, ...conf.value.directives.map(({ file }) => file)] : []
  const unitFiles = unit.kind === 'known' ? unit.value.files : []
  const logFiles = log.kind === 'known' && log.value.source.startsWith('/') ? [log.value.source] : []
  const files = [...new Set([...confFiles.filter((file) => file.startsWith('/')), ...unitFiles, ...logFiles])]
  const shown =
    unit.kind === 'known'
      ? [...unit.value.properties].map(([name, value]) => `${name}=${value}\n`).join('')
      : textOf(unit, String)
  return [{ path: 'host/unit.txt', text: shown }, ...(await filesOf(context.host, files))]
}

/** Compose files as they are; of `.env` the names, and the values that are addresses, numbers or switches. */
async function application(context: EvidenceContext): Promise<readonly Exhibit[]> {
  const [services, variables] = await Promise.all([context.evidence('composeServices'), context.evidence('envFiles')])
  const compose = services.kind === 'known' ? [...new Set(services.value.map(({ file }) => file))] : []
  const envFiles = variables.kind === 'known' ? variables.value : []
  return [
    ...(await filesOf(context.host, compose, 'application')),
    ...envFiles.map(({ path, variables: values }) => ({
      path: `application/${relative(path)}`,
      text: Object.entries(values)
        .map(([name, value]) => `${name}=${shownValue(name, value)}\n`)
        .join(''),
    })),
  ]
}

const TELLING = /(^|_)(HOST|PORT|DB|DATABASE_NUMBER|SSL|TLS|USE_SSL|MODE)$/i
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i

function shownValue(name: string, value: string): string {
  if (value === '') return ''
  const text = value.trim()
  if (/^(\d{1,5}|true|false|yes|no|on|off)$/i.test(text)) return text
  if (URL_START.test(text)) return shownUrl(text)
  return TELLING.test(name) && /^[\w.:-]{1,253}$/.test(text) ? text : '***'
}

/** Scheme, host, port and the number of the database: the rest may be a secret. */
function shownUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null) return '***'
  const path = /^\/\d{1,3}$/.test(url.pathname) ? url.pathname : ''
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '***@'}${url.host}${path}`
}

async function machine(host: Host): Promise<readonly Exhibit[]> {
  return await filesOf(host, FILES)
}

async function filesOf(host: Host, paths: readonly string[], folder = 'host'): Promise<readonly Exhibit[]> {
  const texts = await Promise.all(
    paths.map(async (path) => ({ path, text: await host.readFile(path, { maxBytes: MAX_BYTES, fromEnd: true }) })),
  )
  return texts.map(({ path, text }) => ({ path: `${folder}/${relative(path)}`, text: textOf(text, (value) => value) }))
}

/** No path of an archive leads out of the folder that it is unpacked into. */
function relative(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/')
}
