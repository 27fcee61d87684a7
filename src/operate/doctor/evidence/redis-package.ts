/**
 * The package that Redis was installed from, and which holes its changelog names as mended: distributions mend their
 * packages without a new version of the server.
 */
import { known, notAvailable, valueOr, type Evidence } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import type { EvidenceContext } from './context.ts'
import type { RedisPackage } from './host-values.ts'

/** In the order in which they are looked for. */
const NAMES = ['redis-server', 'valkey-server', 'redis', 'valkey']

export async function redisPackage({ host }: EvidenceContext): Promise<Evidence<RedisPackage>> {
  for (const name of NAMES) {
    const found = (await debian(host, name)) ?? (await rpm(host, name))
    if (found !== undefined) return known(found)
  }
  return notAvailable('no package of Redis is installed here')
}

async function debian(host: Host, name: string): Promise<RedisPackage | undefined> {
  const version = await output(host, 'dpkg-query', ['-W', '-f=${db:Status-Status} ${Version}', name])
  const [status, number] = version.split(' ')
  if (status !== 'installed' || number === undefined) return undefined
  const log = await output(host, 'zcat', ['-f', `/usr/share/doc/${name}/changelog.Debian.gz`])
  return packageOf(name, number, log)
}

async function rpm(host: Host, name: string): Promise<RedisPackage | undefined> {
  const version = await output(host, 'rpm', ['-q', '--qf', '%{VERSION}-%{RELEASE}', name])
  if (!/^\d/.test(version)) return undefined
  return packageOf(name, version, await output(host, 'rpm', ['-q', '--changelog', name]))
}

/** `5:7.0.15-1~deb12u10` is version 7.0.15 of the server. */
function packageOf(name: string, version: string, changelog: string): RedisPackage {
  const upstream = /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? ''
  return { name, version, upstream, mended: [...new Set(changelog.match(/\bCVE-\d{4}-\d+\b/g))] }
}

/** '' when the program is not there, or ends with anything but 0. */
async function output(host: Host, program: string, args: readonly string[]): Promise<string> {
  const result = valueOr(await host.run(program, args), undefined)
  return result?.code === 0 ? result.stdout.trim() : ''
}
