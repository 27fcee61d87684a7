/**
 * A session sealed for its own cookie: a copy that another process can open while neither Redis nor a database can be asked.
 *
 *     1 . version . until . expiresAt . salt, nonce, sealed data, tag
 *         └──────── in clear ───────┘   └─ AES-256-GCM, its key made for this seal by HKDF from secret and salt
 *
 * What is in clear is authenticated too, and so are the session's id and the prefix, which are not in it: a seal opens only under the
 * id that it was made for. `until` is when the copy ends to count: some time after Redis last had a say about the session, which may
 * have been logged out since then.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption } from '../options.ts'
import type { SessionRecord } from './record.ts'

export interface SealOptions {
  /** Secrets of 32 bytes or more, the same at every process. The first seals, all of them open: put a new one in front. */
  readonly secrets: readonly string[]
  /**
   * How long a copy counts after Redis, or the login, last had a say, in milliseconds: a process that cannot ask takes a session that was
   * logged out elsewhere for alive so long. @default 900000, a quarter of an hour
   */
  readonly lifeMs?: number
}

export type CheckedSealOptions = Required<SealOptions>

const MIN_SECRET_BYTES = 32
const MAX_LIFE_MS = 31 * 86_400_000
const LIFE_MS = 900_000

/** @throws OptionError that names the option and never shows a secret */
export function sealOptions(options: SealOptions): CheckedSealOptions {
  knownOptions('seal', options, ['secrets', 'lifeMs'])
  const { secrets, lifeMs = LIFE_MS } = options
  const areLong = Array.isArray(secrets) && secrets.length > 0 && secrets.every(isLong)
  if (!areLong)
    throw new OptionError(
      'secrets',
      `Expected 'secrets' to be one text or more of ${MIN_SECRET_BYTES} bytes or more each.`,
    )
  return { secrets: [...secrets], lifeMs: numberOption('lifeMs', lifeMs, { min: 1000, max: MAX_LIFE_MS }) }
}

function isLong(secret: unknown): boolean {
  return typeof secret === 'string' && Buffer.byteLength(secret) >= MIN_SECRET_BYTES
}

const PURPOSE = 'evenkeel session seal 1'
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORMAT = /^1\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{59,})$/

/** What a seal says in clear. */
interface Label {
  readonly version: number
  /** Wall-clock milliseconds, both. */
  readonly until: number
  readonly expiresAt: number
}

/** The label of a seal that is none of ours yet: nothing about it has been proven. */
export function labelOf(sealed: string): Label | undefined {
  const [, ...fields] = FORMAT.exec(sealed) ?? []
  const [version, until, expiresAt] = fields.map((field) => Number.parseInt(field, 36))
  if (version === undefined || until === undefined || expiresAt === undefined) return undefined
  return { version, until, expiresAt }
}

export class Sealer {
  readonly #secrets: readonly string[]
  readonly #prefix: string

  constructor(secrets: readonly string[], prefix: string) {
    this.#secrets = secrets
    this.#prefix = prefix
  }

  seal({ id, version, expiresAt, text }: SessionRecord & { readonly text: string }, until: number): string {
    const [secret = ''] = this.#secrets
    const salt = randomBytes(SALT_BYTES)
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, keyOf(secret, salt), nonce)
    cipher.setAAD(this.#bound(id, { version, until, expiresAt }))
    const data = Buffer.concat([salt, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return ['1', ...[version, until, expiresAt].map((number) => number.toString(36)), data.toString('base64url')].join(
      '.',
    )
  }

  /** Undefined when it is no seal of this session, by any of our secrets. */
  open(id: string, sealed: string): SessionRecord | undefined {
    const label = labelOf(sealed)
    if (label === undefined) return undefined
    const data = Buffer.from(sealed.slice(sealed.lastIndexOf('.') + 1), 'base64url')
    for (const secret of this.#secrets) {
      const text = opened(data, secret, this.#bound(id, label))
      if (text !== undefined)
        return { id, version: label.version, expiresAt: label.expiresAt, servedUntil: label.until, text }
    }
    return undefined
  }

  #bound(id: string, { version, until, expiresAt }: Label): Buffer {
    return Buffer.from(JSON.stringify([PURPOSE, this.#prefix, id, version, until, expiresAt]))
  }
}

function opened(data: Buffer, secret: string, bound: Buffer): string | undefined {
  const salt = data.subarray(0, SALT_BYTES)
  const nonce = data.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES)
  const sealed = data.subarray(SALT_BYTES + NONCE_BYTES, -TAG_BYTES)
  const decipher = createDecipheriv(CIPHER, keyOf(secret, salt), nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(bound).setAuthTag(data.subarray(-TAG_BYTES))
  const text = decipher.update(sealed)
  try {
    return Buffer.concat([text, decipher.final()]).toString()
  } catch {
    // Not authentic: of another secret or session, or tampered with. Node says it by an error without a code.
    return undefined
  }
}

/** A key for each seal: nonces by chance could come twice in the life of one key under much traffic. */
function keyOf(secret: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, PURPOSE, KEY_BYTES))
}
