/**
 * Takes secrets out of texts that leave the machine or are shown: by where they stand, and, of those that are known, wherever they stand.
 * Rather a hole too many than a secret.
 */
import { isSecretName } from './host/redis-variables.ts'

const HOLE = '***'
/** A shorter one would make holes into half of all words; it is taken out where its place tells it. */
const MIN_SECRET = 4

/** Where a secret stands, whatever it is. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  // scheme://user:password@host, also when the password holds an @
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/:@"']*):[^\s"']*@/gi, `$1$2:${HOLE}@`],
  [/\b(auth-pass\s+\S+\s+)\S+/gi, `$1${HOLE}`],
  [/\b(rename-command\s+\S+\s+)\S+/gi, `$1${HOLE}`],
  // ACL rules: every >password of a line about a user
  [/(?<=(?:\buser|SETUSER)\s[^\n]*?\s["']?)[><][^\s"']+/gi, `>${HOLE}`],
  // SHA-256, as ACL users and files of passwords have them
  [/\b[0-9a-f]{64}\b/gi, HOLE],
  [/\b(AUTH['"`]?\s+)(?!<)(?:\S+['"`]?[ \t]+)?\S+/g, `$1${HOLE}`],
  [/(redis-cli\b[^\n]*?[\s"'](?:-a|--pass)["']?[\s,]+["']?)[^\s"',\]]+/g, `$1${HOLE}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HOLE}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, HOLE],
]

/** Settings of Redis in a file, on a command line, in JSON: `requirepass "x"`, `--requirepass x`, `"requirepass", "x"`. */
const SETTING =
  /\b((?:requirepass|masterauth|primaryauth|sentinel-pass|tls-(?:client-)?key-file-pass)["']?[ \t]*[,:=]?[ \t]*)("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^\s"',\]]+)/gi

/** `NAME=value`, `NAME: value`, `"name": "value"`, `?name=value`. */
const NAMED = /(["']?)([A-Za-z_][\w.-]*)\1(\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&)}\]"']+)/g

/** `REDISCLI_AUTH="$(cat 'file')"`: what a command says so that no secret stands in it. */
const READ_FROM_FILE = /^["']?\$\(cat /

export class Redactor {
  readonly #secrets: readonly string[]

  /** `secrets` are those that are known, as they are; they are found in the spelling of URLs, JSON and base64 too. */
  constructor(secrets: Iterable<string>) {
    const known = [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET)
    // Of two that begin alike the longer one first, or its end would stay.
    this.#secrets = [...new Set(known.flatMap(spellings))].toSorted((a, b) => b.length - a.length)
  }

  text(text: string): string {
    // Known ones first: a place takes only the head of a value with a blank or a `&` in it, and the rest would stay.
    let clean = this.#withoutKnown(text).replaceAll(NAMED, withoutValue)
    clean = clean.replaceAll(SETTING, (_, before: string, value: string) => `${before}${hollow(value)}`)
    for (const [place, replacement] of PLACES) clean = clean.replaceAll(place, replacement)
    return this.#withoutKnown(clean)
  }

  #withoutKnown(text: string): string {
    return this.#secrets.reduce((clean, secret) => clean.replaceAll(secret, HOLE), text)
  }
}

/** `groups` are those of NAMED; a value that is no secret may hold a pair of its own: `Environment=REDIS_PASSWORD=…`. */
function withoutValue(_all: string, ...groups: readonly string[]): string {
  const [quote = '', name = '', between = '', value = ''] = groups
  const isSecret = isSecretName(name) && !READ_FROM_FILE.test(value)
  const kept = isSecret ? hollow(value) : value.replaceAll(NAMED, withoutValue)
  return `${quote}${name}${quote}${between}${kept}`
}

/** Quotes stay, so that JSON stays JSON. */
function hollow(value: string): string {
  if (value === '""' || value === "''") return value
  const quote = /^["']/.exec(value)?.[0] ?? ''
  return `${quote}${HOLE}${quote}`
}

function spellings(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '')
  return [secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1), base64]
}
