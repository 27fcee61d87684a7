/**
 * Who is logged in. The browser keeps a random token; Evenkeel's sessions keep what belongs to it, under the token's hash, so that
 * nobody who reads Redis or the database can show it.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Kept, Sessions } from 'evenkeel/sessions'

export interface Login {
  readonly user: string
  readonly password: string
}

export interface Visitor {
  readonly user: string
  /** When he logged in, in ISO 8601. */
  readonly since: string
}

export interface Entered {
  readonly visitor: Visitor
  /** For his cookie. */
  readonly token: string
  readonly kept: Kept
}

const derived = promisify<string, Buffer, number, Buffer>(scrypt)
const KEY_BYTES = 32
const TOKEN_BYTES = 32
const TOKEN = /^[\w-]{43}$/

export class Visitors {
  readonly #sessions: Pick<Sessions, 'get' | 'set' | 'destroy'>
  readonly #login: Login
  readonly #salt = randomBytes(KEY_BYTES)
  /** Made by the first login. */
  #password: Promise<Buffer> | undefined

  constructor(sessions: Pick<Sessions, 'get' | 'set' | 'destroy'>, login: Login) {
    this.#sessions = sessions
    this.#login = login
  }

  /** Undefined: wrong user or password; it takes as long whichever it was. */
  async enter({ user, password }: Login): Promise<Entered | undefined> {
    this.#password ??= derived(this.#login.password, this.#salt, KEY_BYTES)
    const [expected, shown] = await Promise.all([this.#password, derived(password, this.#salt, KEY_BYTES)])
    const isPassword = timingSafeEqual(expected, shown)
    const isUser = timingSafeEqual(hash(user), hash(this.#login.user))
    if (!isPassword || !isUser) return undefined
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const visitor: Visitor = { user: this.#login.user, since: new Date().toISOString() }
    return { visitor, token, kept: await this.#sessions.set(idOf(token), visitor) }
  }

  async who(token: string | undefined): Promise<Visitor | undefined> {
    if (token === undefined || !TOKEN.test(token)) return undefined
    const { user, since } = (await this.#sessions.get(idOf(token))) ?? {}
    return typeof user === 'string' && typeof since === 'string' ? { user, since } : undefined
  }

  /** For good, whatever Redis does: where that is known by now. Undefined: nobody was logged in. */
  async leave(token: string | undefined): Promise<Kept | undefined> {
    return token !== undefined && TOKEN.test(token) ? await this.#sessions.destroy(idOf(token)) : undefined
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function idOf(token: string): string {
  return hash(token).toString('hex')
}
