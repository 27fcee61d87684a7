/** Which Redis an application is told to use, out of its variables, whatever framework gave them their names. */

export interface RedisUse {
  /** Of the variable. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly database: number
  readonly tls: boolean
  /** A queue keeps its jobs there. */
  readonly queue: boolean
}

type Variables = Readonly<Record<string, string | undefined>>

const SCHEME = /^(redis|rediss|valkey|valkeys):\/\//i
const QUEUE = /CELERY|BROKER|BULL|QUEUE|JOB|TASK|SIDEKIQ|RESQUE|RQ_/i

/** Values that name no URL, or one that cannot be read, are left out. */
export function redisUses(variables: Variables): readonly RedisUse[] {
  const urls = Object.entries(variables).flatMap(([name, value = '']) => fromUrl(name, value))
  const hosts = Object.entries(variables).flatMap(([name, value = '']) => fromHost(name, value, variables))
  return [...urls, ...hosts]
}

function fromUrl(name: string, value: string): readonly RedisUse[] {
  const text = value.trim()
  const url = SCHEME.test(text) ? URL.parse(text) : null
  if (url === null || url.hostname === '') return []
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tls = /^(rediss|valkeys):/i.test(text)
  const database = Number(url.pathname.slice(1) || 0)
  return [{ name, host, port: Number(url.port || 6379), database, tls, queue: QUEUE.test(name) }]
}

/** `REDIS_HOST`, `CACHE_REDIS_HOST`, with the port and the rest under the same beginning. */
function fromHost(name: string, value: string, variables: Variables): readonly RedisUse[] {
  const prefix = /^(.*(?:REDIS|VALKEY)_)HOST$/i.exec(name)?.[1]
  const host = value.trim()
  if (prefix === undefined || host === '' || host.includes('://')) return []
  const of = (rest: string): string => variables[`${prefix}${rest}`]?.trim() ?? ''
  const tls = /^(1|true|yes|on)$/i.test(of('USE_SSL') || of('SSL') || of('TLS'))
  return [
    { name, host, port: Number(of('PORT') || 6379), database: Number(of('DB') || 0), tls, queue: QUEUE.test(name) },
  ]
}

const SECRET_NAME =
  /PASSWORD|PASSWD|PASSPHRASE|(^|_)PASS(_|$)|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|REDISCLI_AUTH|(^|_)AUTH$/i

/** Does a variable of this name hold a secret? A path to one is none. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/_(FILE|PATH)$/i.test(name)
}

/** Every secret in these variables: values under such names, and passwords in URLs. With the name that it has there. */
export function secretsIn(variables: Variables): readonly { readonly name: string; readonly secret: string }[] {
  return Object.entries(variables).flatMap(([name, value = '']) => {
    const text = value.trim()
    if (text === '') return []
    const inUrl = passwordIn(text)
    return [
      ...(isSecretName(name) ? [{ name, secret: text }] : []),
      ...(inUrl === undefined ? [] : [{ name, secret: inUrl }]),
    ]
  })
}

/** The password of a URL; undefined when it has none, or is none. */
function passwordIn(text: string): string | undefined {
  const written = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:([^\s@]*)@/i.exec(text)?.[1]
  if (written === undefined || written === '') return undefined
  try {
    return decodeURIComponent(written)
  } catch (error) {
    if (error instanceof URIError) return written
    throw error
  }
}
