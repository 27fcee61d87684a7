/** Is this version known to have a hole, or not mended any more? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

/** CVE-2025-49844, a script that leaves its sandbox, CVSS 10: the first version of each line without it. */
const MENDED: Readonly<Record<string, string>> = {
  '6.2': '6.2.20',
  '7.2': '7.2.11',
  '7.4': '7.4.6',
  '8.0': '8.0.4',
  '8.2': '8.2.2',
}
/** Lines that get no more mends from their authors. */
const ENDED = /^([0-5]\.|6\.0|7\.0)/

export const knownHoles: PlainCheck<'info'> = {
  id: 'security.known-holes',
  layer: 'security',
  title: 'version of the server against known holes',
  why: 'Holes of old versions are public, and so are the programs that use them.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const version = info.get('redis_version') ?? ''
    if (info.has('valkey_version'))
      return nothingToJudge(`This is Valkey ${info.get('valkey_version')}; its holes are not in this list.`)
    if (!/^\d+\.\d+/.test(version)) return nothingToJudge('The server does not tell its version.')
    const evidence = [`redis_version ${version}`]
    const mended = MENDED[version.split('.').slice(0, 2).join('.')]
    const old = ENDED.test(version)
    if (!old && (mended === undefined || !isOlder(version, mended)))
      return ok('None that this list knows of.', evidence)
    const why = old ? 'this line gets no more mends from its authors' : `${mended} is the first of its line without it`
    return [
      {
        state: 'warn',
        summary: `Possibly open to CVE-2025-49844 (code run through EVAL): ${why}.`,
        evidence: [
          ...evidence,
          'Distributions mend their packages without a new version number: look there before you worry.',
        ],
        fix: {
          text: 'Update, or see whether the package is mended already. Until then take EVAL from users that do not need it.',
          commands: ['apt changelog redis-server | grep -m1 CVE-2025-49844', 'redis-cli ACL SETUSER <app> -@scripting'],
        },
      },
    ]
  },
}

/** Versions of one line: only the last number differs. */
function isOlder(version: string, than: string): boolean {
  return Number(version.split('.')[2] ?? 0) < Number(than.split('.')[2])
}
