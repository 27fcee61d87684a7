/** How an application reaches its Redis: the outcome of looking at a compose project or at a host. */

/** One variable of the .env. */
export interface Variable {
  readonly name: string
  readonly database: number
  readonly url: (password: string, database: number) => string
  readonly why: string
}

export interface Reach {
  readonly choice: string
  /** '' where there is none. */
  readonly password: string
  /** The one that further names stand for too. */
  readonly redis: Variable
  /** All of them, that one included. */
  readonly variables: readonly Variable[]
  readonly notes: readonly string[]
}

/** `redis://:password@host:port/0`, without credentials where there is no password. */
export function redisUrl(host: string, port: number): Variable['url'] {
  const shown = host.includes(':') ? `[${host}]` : host
  return (password, database) => `redis://${account(password)}${shown}:${port}/${database}`
}

export function account(password: string): string {
  return password === '' ? '' : `:${password === '***' ? password : inUrl(password)}@`
}

/** Every character that means something to a URL, a shell or a reader of .env files is written by its code. */
export function inUrl(secret: string): string {
  const code = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(secret).replaceAll(/[!'()*~]/g, code)
}
