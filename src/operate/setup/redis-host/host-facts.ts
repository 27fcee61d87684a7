/** What must be known of a host before its Redis can be made to survive a boot. */
import { isIP } from 'node:net'
import { join } from 'node:path'
import { OptionError } from '../../../errors.ts'
import { valueOr } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import { ConfTree } from '../redis-conf/conf-tree.ts'
import { onDisk, readState } from '../disk.ts'
import { configurationOf, findUnit, type Unit } from './unit.ts'

export interface RedisVersion {
  readonly major: number
  readonly minor: number
}

export interface HostFacts {
  readonly root: string
  readonly conf: ConfTree
  readonly unit: Unit
  readonly version: RedisVersion
  /** Undefined: not known, as in an image. */
  readonly ipv6: boolean | undefined
  /** Addresses of the interfaces; none in an image. */
  readonly present: readonly string[]
  /** `none`: whoever connects is let in. */
  readonly password: 'requirepass' | 'acl' | 'none'
  /** `net.ipv4.ip_nonlocal_bind` and its sister as they are now; undefined where there is none, or in an image. */
  readonly nonlocalBind: Readonly<Record<'ipv4' | 'ipv6', string | undefined>>
}

export interface FactOptions {
  /** @default '/' */
  readonly root?: string | undefined
  /** @default what the unit's command names, else the usual places */
  readonly conf?: string | undefined
  /** @default the first of the usual names */
  readonly unit?: string | undefined
  /** Such as `7.0.15`. @default what the program says */
  readonly version?: string | undefined
}

const CONFIGURATIONS = ['/etc/redis/redis.conf', '/etc/redis.conf', '/etc/valkey/valkey.conf']

/** @throws OptionError that says which option would help */
export async function readHostFacts(host: Host, options: FactOptions = {}): Promise<HostFacts> {
  const { root = '/' } = options
  const unit = await findUnit(host, root, options.unit)
  if (unit === undefined)
    throw new OptionError('--unit', `No systemd unit of Redis found${below(root)}. Name it with --unit.`)
  const conf = await findConfiguration(host, root, options.conf ?? configurationOf(unit))
  const live = root === '/'
  return {
    root,
    conf,
    unit,
    version: await versionOf(host, { ...options, root, program: unit.command[0] ?? '' }),
    ipv6: live ? await hasIpv6(host) : undefined,
    present: live ? await addressesOf(host) : [],
    password: await passwordIn(conf, root),
    nonlocalBind: { ipv4: await sysctl(host, root, 'ipv4'), ipv6: await sysctl(host, root, 'ipv6') },
  }
}

function below(root: string): string {
  return root === '/' ? '' : ` below ${root}`
}

async function findConfiguration(host: Host, root: string, given: string | undefined): Promise<ConfTree> {
  for (const path of given === undefined ? CONFIGURATIONS : [given]) {
    const conf = await ConfTree.read(host, root, path)
    if (conf !== undefined) return conf
  }
  const expected = given ?? CONFIGURATIONS.join(', ')
  throw new OptionError('--conf', `No configuration of Redis found${below(root)}: ${expected}. Name it with --conf.`)
}

interface VersionOptions {
  readonly root: string
  readonly version?: string | undefined
  readonly program: string
}

async function versionOf(host: Host, { root, version, program }: VersionOptions): Promise<RedisVersion> {
  const given = version ?? (await saidByProgram(host, root, program)) ?? (await saidByPackage(host, root))
  const [, major, minor] = /^(?:\d+:)?(\d+)\.(\d+)/.exec(given ?? '') ?? []
  if (major === undefined || minor === undefined) {
    const found = given === undefined ? 'It could not be found out.' : `Got '${given}'.`
    throw new OptionError('--redis-version', `Expected --redis-version to be such as 7.0.15. ${found}`)
  }
  return { major: Number(major), minor: Number(minor) }
}

async function saidByProgram(host: Host, root: string, program: string): Promise<string | undefined> {
  const [file = '', ...args] = root === '/' ? [program, '--version'] : ['chroot', root, program, '--version']
  const result = valueOr(await host.run(file, args), undefined)
  return /\bv=(\S+)/.exec(result?.stdout ?? '')?.[1]
}

async function saidByPackage(host: Host, root: string): Promise<string | undefined> {
  const status = valueOr(await host.readFile(join(root, 'var/lib/dpkg/status'), { maxBytes: 32 * 1024 ** 2 }), '')
  const paragraph = status.split('\n\n').find((text) => /^Package: (redis-server|valkey-server)$/m.test(text))
  return /^Version: (\S+)$/m.exec(paragraph ?? '')?.[1]
}

async function hasIpv6(host: Host): Promise<boolean> {
  const settings = ['all', 'lo'].map((name) => host.readFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`))
  const values = (await Promise.all(settings)).map((value) => valueOr(value, '1').trim())
  return values.every((value) => value === '0')
}

/** Also those of interfaces that are down, as a bridge without containers is. */
async function addressesOf(host: Host): Promise<readonly string[]> {
  const result = valueOr(await host.run('ip', ['-o', 'address', 'show']), undefined)
  return [...(result?.stdout ?? '').matchAll(/\binet6? ([0-9a-f.:]+)/g)].map(([, address = '']) => address)
}

async function sysctl(host: Host, root: string, family: 'ipv4' | 'ipv6'): Promise<string | undefined> {
  if (root !== '/') return undefined
  return valueOr(await host.readFile(`/proc/sys/net/${family}/ip_nonlocal_bind`), undefined)?.trim()
}

/** Of the default user, which is who comes in without saying a name. */
async function passwordIn(conf: ConfTree, root: string): Promise<HostFacts['password']> {
  if ((conf.words('requirepass')?.[0] ?? '') !== '') return 'requirepass'
  const users = conf.directives.filter(({ name }) => name === 'user').map(({ args }) => args.join(' '))
  const [file] = conf.words('aclfile') ?? []
  const listed = file === undefined ? undefined : await readState(await onDisk(root, file))
  const lines = (listed?.text ?? '').split('\n').map((line) => line.replace(/^\s*user\s+/, ''))
  const rules = [...users, ...lines].findLast((line) => line.startsWith('default '))
  if (rules === undefined) return 'none'
  return / nopass(\s|$)/.test(rules) || !/ [>#]/.test(rules) ? (/ off(\s|$)/.test(rules) ? 'acl' : 'none') : 'acl'
}

/** Bind words without the prefix that makes them optional. */
export function plainAddress(word: string): string {
  return word.replace(/^-/, '')
}

const EVERYWHERE = ['*', '0.0.0.0', '::', '::*']

export function isEverywhere(word: string): boolean {
  return EVERYWHERE.includes(plainAddress(word))
}

export function isLoopback(word: string): boolean {
  const address = plainAddress(word)
  return address === '::1' || address === 'localhost' || address.startsWith('127.')
}

/** @throws OptionError that names the option */
export function addressOption(option: string, text: string): string {
  if (isIP(text) === 0 || isLoopback(text) || isEverywhere(text))
    throw new OptionError(
      option,
      `Expected ${option} to be one address of this host such as 172.30.0.1, got '${text}'.`,
    )
  return text
}
