/**
 * Holes of Redis and Valkey that were published, with the first version of each line that has none of them any more. Only
 * what a source says stands here: a line that its source does not name is not judged.
 */

/** First mended version by line, such as `'7.4': '7.4.6'`. */
type Mended = Readonly<Record<string, string>>

export interface Hole {
  /** CVE numbers; a release that names none is named itself. */
  readonly ids: readonly string[]
  /** What somebody can do by it, and who. */
  readonly what: string
  readonly redis?: Mended
  readonly valkey?: Mended
  /** The first line that has it. @default every one */
  readonly since?: string
  /** @default on either */
  readonly only?: 'redis' | 'valkey'
}

/** The newest first. */
export const HOLES: readonly Hole[] = [
  // The CVE record (CISA VA-26-239-01); Debian mended 7.0 in 5:7.0.15-1~deb12u10.
  {
    ids: ['CVE-2026-81934'],
    what: 'whoever reaches the TLS port may run code, without a password',
    only: 'redis',
    redis: { '8.2': '8.2.9', '8.4': '8.4.6', '8.6': '8.6.6', '8.8': '8.8.2', '8.10': '8.10.1' },
  },
  // docker-library/official-images#21922, which names no CVE.
  {
    ids: ['the urgent release of 24 July 2026'],
    what: 'a user who is logged in may run code',
    only: 'redis',
    redis: {
      '6.2': '6.2.23',
      '7.2': '7.2.15',
      '7.4': '7.4.10',
      '8.2': '8.2.8',
      '8.4': '8.4.5',
      '8.6': '8.6.5',
      '8.8': '8.8.1',
    },
  },
  // valkey-io/valkey, release notes of 9.1.1; lines in tazama-lf/tazama-stack#267 and microsoft/azurelinux#18077.
  {
    ids: ['CVE-2026-56684', 'CVE-2026-63639'],
    what: 'a user who is logged in may run code, by CLIENT KILL with TLS or a corrupt stream',
    only: 'valkey',
    valkey: { '7.2': '7.2.14', '8.0': '8.0.10', '8.1': '8.1.9', '9.0': '9.0.5', '9.1': '9.1.1' },
  },
  // CVE record: 7.2.0 and newer. Release notes of Redis 7.2.14; redis/docs#3292; valkey-io/valkey#3631, #3633, #3634.
  // Valkey 8.0.8 was revoked (redis-rs/redis-rs#2102).
  {
    ids: ['CVE-2026-23479'],
    what: 'a user who is logged in may run code, by a blocked command',
    since: '7.2',
    redis: { '7.2': '7.2.14', '7.4': '7.4.9', '8.2': '8.2.6', '8.4': '8.4.3', '8.6': '8.6.3' },
    valkey: { '7.2': '7.2.13', '8.0': '8.0.9', '8.1': '8.1.7', '9.0': '9.0.4' },
  },
  // The same releases; Redis 6.2 is not affected by the second one (redis/redis#15233).
  {
    ids: ['CVE-2026-25243', 'CVE-2026-23631'],
    what: 'a user who is logged in may run code, by RESTORE or Lua',
    since: '7.0',
    redis: { '7.2': '7.2.14', '7.4': '7.4.9', '8.2': '8.2.6', '8.4': '8.4.3', '8.6': '8.6.3' },
    valkey: { '7.2': '7.2.13', '8.0': '8.0.9', '8.1': '8.1.7', '9.0': '9.0.4' },
  },
  // NVD for 7.2 to 8.1; release notes of Valkey 9.0.3. Debian mended Redis 7.0 in 5:7.0.15-1~deb12u7.
  {
    ids: ['CVE-2025-67733', 'CVE-2026-21863'],
    what: 'scripts may forge replies, and a packet on the bus of a cluster may end the server',
    valkey: { '7.2': '7.2.12', '8.0': '8.0.7', '8.1': '8.1.6', '9.0': '9.0.3' },
  },
  // GHSA-jhjx-x4cf-4vm8; docker-library/official-images#20204.
  {
    ids: ['CVE-2025-62507'],
    what: 'a user who is logged in may run code, by XACKDEL',
    only: 'redis',
    since: '8.2',
    redis: { '8.2': '8.2.3' },
  },
  // docker-library/official-images#20011; GHSA-9rfg-jx7v-52p6 and valkey-io/valkey#2704. CVSS 10.
  {
    ids: ['CVE-2025-49844', 'CVE-2025-46817', 'CVE-2025-46818', 'CVE-2025-46819'],
    what: 'a user who may run EVAL may run code',
    redis: { '6.2': '6.2.20', '7.2': '7.2.11', '7.4': '7.4.6', '8.0': '8.0.4', '8.2': '8.2.2' },
    valkey: { '7.2': '7.2.11', '8.0': '8.0.6', '8.1': '8.1.4' },
  },
  // docker-library/official-images#19401.
  {
    ids: ['CVE-2025-32023', 'CVE-2025-48367'],
    what: 'a user who is logged in may run code, by a HyperLogLog; others may keep clients out',
    redis: { '6.2': '6.2.19', '7.2': '7.2.10', '7.4': '7.4.5', '8.0': '8.0.3' },
  },
  // redis/redis#13971.
  { ids: ['CVE-2025-21605'], what: 'whoever reaches the port may fill the memory', redis: { '6.2': '6.2.18' } },
  // redis/redis#13582; the CVE record of the third one.
  {
    ids: ['CVE-2024-31449', 'CVE-2024-31227', 'CVE-2024-31228'],
    what: 'a user who may run EVAL may run code; patterns and ACL rules may end the server',
    redis: { '6.2': '6.2.16', '7.2': '7.2.6', '7.4': '7.4.1' },
  },
]

/** Lines of Redis that get no more mends from their authors; distributions go on mending theirs. */
const ENDED = /^([0-5]\.|6\.0$|7\.0$)/

export function hasEnded(product: 'redis' | 'valkey', version: string): boolean {
  return product === 'redis' && ENDED.test(lineOf(version))
}

/** Every one that this version has, by its number alone. */
export function holesOf(product: 'redis' | 'valkey', version: string): readonly Hole[] {
  const line = lineOf(version)
  return HOLES.filter(({ only = product, since = '0', [product]: mended = {}, ids }) => {
    if (only !== product || isOlder(line, since)) return false
    const first = mended[line]
    if (first !== undefined) return isOlder(version, first)
    return hasEnded(product, version) && ids.some((id) => id.startsWith('CVE-'))
  })
}

export function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (one?.[index] ?? 0) - (other?.[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
