/**
 * Token bucket: `max` at once, then one every `windowMs / max`. Kept as one number, the moment at which the bucket will be
 * full again (the "theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371): a use moves it on.
 */
import { numbersIn, type Algorithm, type Size } from './algorithm.ts'

export interface BucketAccount {
  readonly fullAt: number
}

/**
 * ARGV: milliseconds a unit takes to come back, milliseconds the whole bucket takes, cost, own debt and base debt in
 * milliseconds, whether to count a refused call. Returns allowed and debt in milliseconds, as text: Lua would cut a fraction off.
 * Merging is the larger of two debts for the base, whoever brings it and how often, and a sum for what is our own.
 */
const SCRIPT = `
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local debt = math.max(0, tonumber(redis.call('GET', key) or '0') - now)
local own, base = tonumber(ARGV[4]), tonumber(ARGV[5])
debt = math.max(debt, base) + own
local added = tonumber(ARGV[3]) * tonumber(ARGV[1])
local allowed = debt + added <= tonumber(ARGV[2]) + 0.001
local counts = added ~= 0 and (allowed or ARGV[6] == '1')
if counts then debt = math.max(0, debt + added) end
if own > 0 or base > 0 or counts then
  if debt > 0 then
    redis.call('SET', key, string.format('%.3f', now + debt), 'PX', math.ceil(debt))
  else
    redis.call('DEL', key)
  end
end
return { allowed and 1 or 0, string.format('%.3f', debt) }`

/** Sums of fractions end a little beside the whole. */
const ROUNDING_MS = 0.001

export function tokenBucket({ max, windowMs }: Size): Algorithm<BucketAccount> {
  const unitMs = windowMs / max
  const debtOf = (account: BucketAccount | undefined, now: number): number => Math.max(0, (account?.fullAt ?? 0) - now)
  return {
    script: SCRIPT,
    open: (now) => ({ fullAt: now }),
    at: (account, now) => (account.fullAt > now ? account : { fullAt: now }),
    judge(account, now, cost) {
      const debtMs = debtOf(account, now)
      const shortMs = debtMs + cost * unitMs - windowMs
      const allowed = shortMs <= ROUNDING_MS
      return { allowed, used: debtMs / unitMs, resetMs: debtMs, retryAfterMs: allowed ? 0 : shortMs }
    },
    charge: (account, now, cost) => ({ fullAt: now + Math.max(0, debtOf(account, now) + cost * unitMs) }),
    join: (one, other, now) => ({ fullAt: now + debtOf(one, now) + debtOf(other, now) }),
    isIdle: ({ fullAt }, now) => fullAt <= now,
    argumentsFor: ({ cost, always }, { own, base }, now) =>
      [unitMs, windowMs, cost, debtOf(own, now), debtOf(base, now), always ? 1 : 0].map(String),
    read(reply, now) {
      const [allowed = 0, debtMs = 0] = numbersIn(reply, 2)
      return { account: { fullAt: now + debtMs }, allowed: allowed === 1 }
    },
  }
}
