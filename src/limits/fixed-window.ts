/** Fixed window: `max` units, then a pause until the window ends that the first use has opened. */
import { MERGE_LUA, numbersIn, type Algorithm, type Size } from './algorithm.ts'
import { MAX_UNITS } from './options.ts'

export interface FixedAccount {
  readonly used: number
  readonly endsAt: number
  /** Somebody said so: it replaces what was counted, and does not add to it. */
  readonly put?: true
}

/**
 * ARGV: window, max, cost, own, base, how long the caller's window still lasts, run,
 * whether to count a refused call, whether own replaces what is there. Returns allowed, used, rest of the window.
 * What was put is not added to by a base from before a restart: as much as there could be of it counts as restored.
 */
const SCRIPT = `${MERGE_LUA}
local key, run = KEYS[1], ARGV[7]
local put = ARGV[9] == '1'
if put then redis.call('DEL', key) end
local left = redis.call('PTTL', key)
local isNew = left < 0
if isNew then left = tonumber(ARGV[6]) end
local used, merged = merge(key, run, 'c', tonumber(ARGV[4]), put and 0 or tonumber(ARGV[5]))
local cost = tonumber(ARGV[3])
local allowed = used + cost <= tonumber(ARGV[2])
local counts = cost ~= 0 and (allowed or ARGV[8] == '1')
if counts then used = math.max(0, used + cost) end
if merged or counts then
  redis.call('HSET', key, 'c', used)
  if put then redis.call('HSET', key, 'bc', 2 * ${MAX_UNITS}) end
  if isNew then
    redis.call('HSET', key, 'r', run)
    redis.call('PEXPIRE', key, left)
  elseif merged then
    redis.call('HSET', key, 'r', run)
  end
end
return { allowed and 1 or 0, used, left }`

export function fixedWindow({ max, windowMs }: Size): Algorithm<FixedAccount> {
  const open = (now: number): FixedAccount => ({ used: 0, endsAt: now + windowMs })
  const at = (account: FixedAccount, now: number): FixedAccount => (now < account.endsAt ? account : open(now))
  const isEmpty = ({ used, put }: FixedAccount): boolean => used === 0 && put === undefined
  return {
    script: SCRIPT,
    open,
    at,
    judge(account, now, cost) {
      const { used, endsAt } = at(account, now)
      const allowed = used + cost <= max
      const restMs = used === 0 ? 0 : endsAt - now
      return { allowed, used, resetMs: restMs, retryAfterMs: allowed ? 0 : restMs }
    },
    charge(account, now, cost) {
      const present = isEmpty(account) ? open(now) : at(account, now)
      return { ...present, used: Math.max(0, present.used + cost) }
    },
    join(one, other, now) {
      const [a, b] = [at(one, now), at(other, now)]
      if (b.put || isEmpty(a) || isEmpty(b)) return b.put || isEmpty(a) ? b : a
      const endsAt = a.put ? a.endsAt : Math.max(a.endsAt, b.endsAt)
      return { ...a, used: a.used + b.used, endsAt }
    },
    put: (used, endsAt) => ({ used, endsAt, put: true }),
    isIdle: (account, now) => isEmpty(account) || now >= account.endsAt,
    argumentsFor({ cost, always }, { own, base, run }, now) {
      const put = own !== undefined && at(own, now).put === true
      const told = put ? [own] : [own, base]
      const alive = told.filter((account) => account !== undefined).filter(({ endsAt }) => now < endsAt)
      const restMs = alive.length === 0 ? windowMs : Math.max(...alive.map(({ endsAt }) => endsAt - now))
      const usedBy = (account: FixedAccount | undefined): number => (account === undefined ? 0 : at(account, now).used)
      const flags = [always, put].map(Number)
      return [windowMs, max, cost, usedBy(own), usedBy(base), Math.ceil(restMs), run, ...flags].map(String)
    },
    read(reply, now) {
      const [allowed = 0, used = 0, leftMs = 0] = numbersIn(reply, 3)
      return { account: { used, endsAt: now + leftMs }, allowed: allowed === 1 }
    },
  }
}
