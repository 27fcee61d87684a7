/** The last net: whatever a check says, no password that is known here and no control character gets out. */
import { plain } from '../probes/examination.ts'
import type { Target } from '../targets.ts'
import type { Remedy } from './check.ts'
import type { Fields } from './evidence/server-values.ts'
import type { DoctorFinding } from './report.ts'

/** Settings that are passwords. */
const SECRET_SETTINGS = ['requirepass', 'masterauth', 'tls-key-file-pass', 'tls-client-key-file-pass', 'sentinel-pass']

export function secretsOf({ endpoint }: Extract<Target, { kind: 'redis' }>, config: Fields): readonly string[] {
  const settings = SECRET_SETTINGS.map((name) => config.get(name))
  const all = [endpoint.password, endpoint.sentinelCredentials.password, ...settings]
  return [...new Set(all)].filter((secret): secret is string => secret !== undefined && secret !== '')
}

/** Whole words only: the password `redis` must not make holes into `redis-cli`. */
export function withoutSecrets(finding: DoctorFinding, secrets: readonly string[]): DoctorFinding {
  const words = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]).map(escaped)
  const pattern = words.length === 0 ? undefined : new RegExp(`(?<![\\w-])(?:${words.join('|')})(?![\\w-])`, 'g')
  const clean = (text: string): string => (pattern === undefined ? plain(text) : plain(text).replaceAll(pattern, '***'))
  return {
    ...finding,
    summary: clean(finding.summary),
    evidence: finding.evidence.map(clean),
    fix: cleaned(finding.fix, clean),
    undo: cleaned(finding.undo, clean),
  }
}

function cleaned(remedy: Remedy | undefined, clean: (text: string) => string): Remedy | undefined {
  return remedy && { ...remedy, ...(remedy.commands && { commands: remedy.commands.map(clean) }) }
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}
