/** Sessions in Redis, one key each, which ends by itself to the millisecond. */
import type { Clock } from '../clock.ts'
import { Script, type RedisLink, type Reply } from '../link/index.ts'
import { decode, encode, GONE_TEXT, type SessionRecord } from './record.ts'

/**
 * KEYS[1] the session; ARGV: text, version, milliseconds to live. 1 when stored, 0 when a newer one is there, -1 when it was
 * logged out: that nothing overwrites, however late it comes.
 */
const SAVE = `
local old = redis.call('GET', KEYS[1])
if old == '${GONE_TEXT}' then return -1 end
if old then
  local version = tonumber(string.match(old, '^{"__evenkeel":(%d+)') or '0')
  if version > tonumber(ARGV[2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1`

export type SaveOutcome = 'stored' | 'older' | 'gone'
const OUTCOMES: Readonly<Record<number, SaveOutcome>> = { 1: 'stored', 0: 'older', [-1]: 'gone' }

export interface RedisStoreOptions {
  readonly link: RedisLink
  readonly clock: Clock
  readonly prefix: string
  readonly deadlineMs: number
}

export class RedisStore {
  readonly #options: RedisStoreOptions
  readonly #save: Script

  constructor(options: RedisStoreOptions) {
    this.#options = options
    this.#save = new Script(SAVE, options.clock)
  }

  /** @throws LinkError */
  async get(id: string): Promise<SessionRecord | undefined> {
    const { link, clock, deadlineMs } = this.#options
    const key = this.#keyOf(id)
    const [raw, leftMs] = await Promise.all([
      link.send(['GET', key], { deadlineMs }),
      link.send(['PTTL', key], { deadlineMs }),
    ])
    const stored = typeof raw === 'string' ? decode(raw) : undefined
    if (stored === undefined || typeof leftMs !== 'number' || leftMs === KEY_IS_GONE) return undefined
    // Without an end it is somebody else's work: it is there now, and nobody knows how long.
    const now = clock.wallNow()
    return { id, ...stored, expiresAt: now + (leftMs < 0 ? UNKNOWN_LEFT_MS : leftMs), confirmedAt: now }
  }

  /** Stores it unless there is a newer one, or it was logged out. @throws LinkError */
  async save(record: SessionRecord): Promise<SaveOutcome> {
    const { link, deadlineMs } = this.#options
    const leftMs = this.#leftMs(record)
    if (record.text === undefined) {
      await link.send(['SET', this.#keyOf(record.id), GONE_TEXT, 'PX', leftMs], { deadlineMs })
      return 'gone'
    }
    const args = [encode(record), String(record.version), leftMs]
    const reply = await this.#save.run(link, { keys: [this.#keyOf(record.id)], args, deadlineMs })
    return OUTCOMES[Number(reply)] ?? 'stored'
  }

  /** Leaves the mark of a logout where there is a session; whether there was one. @throws LinkError */
  async destroy(record: SessionRecord): Promise<boolean> {
    const { link, deadlineMs } = this.#options
    const args = ['SET', this.#keyOf(record.id), GONE_TEXT, 'XX', 'PX', this.#leftMs(record)]
    return (await link.send(args, { deadlineMs })) !== null
  }

  /** Lets it live so much longer from now on; false when it is not there. @throws LinkError */
  async touch(id: string, ttlMs: number): Promise<boolean> {
    const { link, deadlineMs } = this.#options
    return (await link.send(['PEXPIRE', this.#keyOf(id), String(ttlMs)], { deadlineMs })) === 1
  }

  /** The id of every session, logged-out ones included. @throws LinkError */
  async ids(): Promise<readonly string[]> {
    const { link, prefix, deadlineMs } = this.#options
    const match = `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*`
    const ids: string[] = []
    for (const node of link.nodes)
      for (let cursor: string | undefined = '0'; cursor !== undefined;) {
        const reply = await node.send(['SCAN', cursor, 'MATCH', match, 'COUNT', String(SCAN_COUNT)], { deadlineMs })
        const [next, keys] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
        if (Array.isArray(keys)) ids.push(...keys.map((key) => String(key).slice(prefix.length)))
        cursor = next === undefined || String(next) === '0' ? undefined : String(next)
      }
    return ids
  }

  #leftMs({ expiresAt }: SessionRecord): string {
    return String(Math.max(1, Math.ceil(expiresAt - this.#options.clock.wallNow())))
  }

  #keyOf(id: string): string {
    return this.#options.prefix + id
  }
}

/** Keys that a step looks at: about half a millisecond of the server's time. */
const SCAN_COUNT = 500
/** PTTL's answer for a key that is not there. */
const KEY_IS_GONE = -2
const UNKNOWN_LEFT_MS = 60_000
