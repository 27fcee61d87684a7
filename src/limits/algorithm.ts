/**
 * What a way of counting has to offer. Each runs in two places: as a script in Redis, where all instances share one
 * account per key, and as plain arithmetic in this process, for the time in which Redis does not answer.
 *
 *     Redis up      script(own, base) ──▶ reply ──▶ the account of all, as it stood then
 *     Redis away    the account of all, on which every use of ours counts once for each instance
 *                   our own account, on which it counts once: what Redis is told on its return
 *
 * An account is a plain value in this process's monotonic time; every function returns a new one.
 */
import type { Reply } from '../link/index.ts'

/** How a key stands after a call. */
export interface Standing {
  readonly allowed: boolean
  /** Used up in the present window, in units of cost. */
  readonly used: number
  /** Until nothing is used up any more, in milliseconds. */
  readonly resetMs: number
  /** Until the same call would be allowed; 0 when it was. */
  readonly retryAfterMs: number
}

/** What a call uses up. */
export interface Use {
  /** Units; negative gives back. */
  readonly cost: number
  /** Counted even when it is refused. */
  readonly always: boolean
}

/** What a script call carries beside the use. */
export interface Burden<Account> {
  /** What this process let through and Redis does not know. */
  readonly own: Account | undefined
  /** What all had used up before a restart of the server: restored where it was lost. */
  readonly base: Account | undefined
  /** Names the server's run, so that a restart shows. */
  readonly run: string
}

export interface Algorithm<Account> {
  /** Lua; KEYS[1] is the account, ARGV what `argumentsFor` gives. */
  readonly script: string
  /** Nothing used up; in the same window as another account of the key, where there is one. */
  open(now: number, beside?: Account): Account
  /** The account at a later moment: windows that are over are forgotten. */
  at(account: Account, now: number): Account
  /** How a call of this cost would stand. */
  judge(account: Account, now: number, cost: number): Standing
  /** The account with so much more used up, or less: never less than nothing. */
  charge(account: Account, now: number, cost: number): Account
  /** Both together; the first was there before the other. */
  join(one: Account, other: Account, now: number): Account
  /** The account that somebody says a key has, whatever was counted; offered where a window has an end of its own. */
  put?(used: number, endsAt: number): Account
  /** Is there nothing left in it that matters? */
  isIdle(account: Account, now: number): boolean
  argumentsFor(use: Use, burden: Burden<Account>, now: number): readonly string[]
  /** The account of all that a reply shows. @throws TypeError when it is no reply of this script */
  read(reply: Reply, now: number): { readonly account: Account; readonly allowed: boolean }
}

/** The size of a limit, checked. */
export interface Size {
  /** Units of cost in a window. */
  readonly max: number
  readonly windowMs: number
}

/** The numbers in the reply of a script. @throws TypeError */
export function numbersIn(reply: Reply, count: number): readonly number[] {
  const numbers = Array.isArray(reply) ? reply.map(Number) : []
  if (numbers.length !== count || numbers.some(Number.isNaN))
    throw new TypeError(`Expected ${count} numbers from the script of a limit.`)
  return numbers
}

/**
 * Lua shared by the window scripts: `merge(key, run, field, own, base)` returns a counter with what an instance let through while
 * Redis was away, and whether there was anything to add. The base, what all had used before a restart that lost it, is added
 * once for all instances: the field with a `b` in front of its name says how much of it is in already. A hash that another `run` of
 * the server wrote was loaded from disk: what it holds is the base.
 */
export const MERGE_LUA = `
local function merge(key, run, field, own, base)
  local known = tonumber(redis.call('HGET', key, field))
  local count = known or 0
  if own == 0 and base == 0 then return count, false end
  local restored = tonumber(redis.call('HGET', key, 'b' .. field) or '0')
  if known and redis.call('HGET', key, 'r') ~= run then restored = count end
  if base > restored then
    count = count + base - restored
    restored = base
  end
  redis.call('HSET', key, 'b' .. field, restored)
  return count + own, true
end
`
