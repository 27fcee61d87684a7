/** Is this version known to have a hole, or not mended any more? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import type { RedisPackage } from '../../evidence/host-values.ts'
import { quoted } from '../../shell.ts'
import { hasEnded, holesOf, lineOf, type Hole } from './holes.ts'

export const knownHoles: DoctorCheck<'info', 'redisHere' | 'redisPackage'> = {
  id: 'security.known-holes',
  layer: 'security',
  title: 'version of the server against known holes',
  why: 'Holes of old versions are public, and so are the programs that use them.',
  severity: 'warn',
  needs: ['info'],
  wants: ['redisHere', 'redisPackage'],
  judge: ({ info, redisHere, redisPackage }) => {
    const valkey = info.get('valkey_version')
    const product = valkey === undefined ? 'redis' : 'valkey'
    const version = valkey ?? info.get('redis_version') ?? ''
    if (!/^\d+\.\d+/.test(version)) return nothingToJudge('The server does not tell its version.')
    // The package of this machine says nothing of a server that runs elsewhere, or that was not started from it.
    const own = redisHere?.by === 'process' && redisPackage?.upstream === version ? redisPackage : undefined
    const mended = own?.mended ?? []
    const holes = holesOf(product, version)
    const open = holes.filter(({ ids }) => !ids.every((id) => mended.includes(id)))
    const evidence = [`${product}_version ${version}`, ...packageWords(own, holes, open)]
    if (open.length === 0) return ok('None that this list knows of.', evidence)
    const [newest] = open
    return [
      {
        state: 'warn',
        summary: `Possibly open to ${newest?.ids.join(', ')} (${newest?.what})${others(open)}: ${reasonFor(product, version, open)}.`,
        evidence: [...evidence, ...open.map(({ ids, what }) => `${ids.join(', ')}: ${what}`), BACKPORTS],
        fix: {
          text: 'Update, or see whether the package is mended already. Until then take EVAL and RESTORE from users that do not need them.',
          commands: [
            `apt changelog ${own?.name ?? '<package>'} | grep ${quoted('CVE-')}`,
            'redis-cli ACL SETUSER <app> -@scripting -restore',
          ],
        },
      },
    ]
  },
}

const BACKPORTS =
  'By its number alone: distributions mend their packages without a new one, so look there before you worry.'

function packageWords(own: RedisPackage | undefined, holes: readonly Hole[], open: readonly Hole[]): readonly string[] {
  if (own === undefined) return []
  const closed = holes.length - open.length
  return [
    `package ${own.name} ${own.version}`,
    ...(closed === 0 ? [] : [`its changelog names ${closed} of ${holes.length} as mended`]),
  ]
}

function others(open: readonly Hole[]): string {
  return open.length === 1 ? '' : ` and to ${open.length - 1} more`
}

function reasonFor(product: 'redis' | 'valkey', version: string, open: readonly Hole[]): string {
  const line = lineOf(version)
  if (hasEnded(product, version)) return `the line ${line} gets no more mends from its authors`
  const first = open.map((hole) => hole[product]?.[line]).find((one) => one !== undefined)
  return `${first} is the first of its line without`
}
