/**
 * Sliding window out of two counters: the present window counts in full, the one before it by the share of it that still
 * lies within the last `windowMs`. Exact where uses come evenly, and no burst of twice the limit at the border of two
 * windows. Windows are those of the server's clock.
 */
import { MERGE_LUA, numbersIn, type Algorithm, type Size, type Standing } from './algorithm.ts'

export interface SlidingAccount {
  readonly previous: number
  readonly current: number
  /** When the present window began. */
  readonly startedAt: number
}

/**
 * ARGV: window, max, cost, own current and previous, base current and previous, age of the caller's window, run,
 * whether to count a refused call.
 * Windows of caller and server are the same but for the way between them, so that at a border one is a window ahead. A caller
 * whom no server has told where windows begin has begun his own: then what he counted as the present one is taken as such.
 * Returns allowed, previous, current, age of the window. Hash: i window index, c current, p previous.
 */
const SCRIPT = `${MERGE_LUA}
local key, window, run = KEYS[1], tonumber(ARGV[1]), ARGV[9]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local index = math.floor(now / window)
local age = now - index * window
local stored = tonumber(redis.call('HGET', key, 'i') or '-2')
if stored == index - 1 then
  for _, field in ipairs({ '', 'b' }) do
    redis.call('HSET', key, field .. 'p', redis.call('HGET', key, field .. 'c') or '0')
  end
  redis.call('HSET', key, 'i', index, 'c', 0, 'bc', 0)
elseif stored ~= index then
  redis.call('DEL', key)
end
local ownC, ownP, baseC, baseP = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local skew = (tonumber(ARGV[8]) - age) / window
if skew > 0.9 then
  ownC, ownP, baseC, baseP = 0, ownC, 0, baseC
elseif skew < -0.9 then
  ownC, ownP, baseC, baseP = ownC + ownP, 0, baseC + baseP, 0
end
local current, mergedC = merge(key, run, 'c', ownC, baseC)
local previous, mergedP = merge(key, run, 'p', ownP, baseP)
local cost = tonumber(ARGV[3])
local allowed = previous * (1 - age / window) + current + cost <= tonumber(ARGV[2])
local counts = cost ~= 0 and (allowed or ARGV[10] == '1')
if counts then current = math.max(0, current + cost) end
if mergedC or mergedP or counts then
  redis.call('HSET', key, 'i', index, 'c', current, 'p', previous)
  if mergedC or mergedP or stored ~= index then redis.call('HSET', key, 'r', run) end
  redis.call('PEXPIRE', key, 2 * window - age)
end
return { allowed and 1 or 0, previous, current, age }`

export function slidingWindow({ max, windowMs }: Size): Algorithm<SlidingAccount> {
  const at = (account: SlidingAccount, now: number): SlidingAccount => {
    const passed = Math.floor((now - account.startedAt) / windowMs)
    if (passed <= 0) return account
    const startedAt = account.startedAt + passed * windowMs
    return { previous: passed === 1 ? account.current : 0, current: 0, startedAt }
  }
  return {
    script: SCRIPT,
    open: (now, beside) => ({
      previous: 0,
      current: 0,
      startedAt: beside === undefined ? now : at(beside, now).startedAt,
    }),
    at,
    judge: (account, now, cost) => standing(at(account, now), now, { max, windowMs, cost }),
    charge(account, now, cost) {
      const { current, ...rest } = at(account, now)
      return { ...rest, current: Math.max(0, current + cost) }
    },
    join(one, other, now) {
      const [a, b] = [at(one, now), at(other, now)]
      return { ...a, previous: a.previous + b.previous, current: a.current + b.current }
    },
    isIdle(account, now) {
      const { previous, current } = at(account, now)
      return previous === 0 && current === 0
    },
    argumentsFor({ cost, always }, { own, base, run }, now) {
      const counts = [own, base].map((account) => account && at(account, now))
      const [ours, theirs] = counts
      const ageMs = now - (ours?.startedAt ?? theirs?.startedAt ?? now)
      const counters = [ours?.current, ours?.previous, theirs?.current, theirs?.previous].map((count) => count ?? 0)
      return [windowMs, max, cost, ...counters, Math.floor(ageMs), run, always ? 1 : 0].map(String)
    },
    read(reply, now) {
      const [allowed = 0, previous = 0, current = 0, ageMs = 0] = numbersIn(reply, 4)
      return { account: { previous, current, startedAt: now - ageMs }, allowed: allowed === 1 }
    },
  }
}

function standing(
  { previous, current, startedAt }: SlidingAccount,
  now: number,
  { max, windowMs, cost }: Size & { readonly cost: number },
): Standing {
  const ageMs = now - startedAt
  const used = previous * (1 - ageMs / windowMs) + current
  const allowed = used + cost <= max
  const restMs = windowMs - ageMs
  const resetMs = current > 0 ? restMs + windowMs : previous > 0 ? restMs : 0
  if (allowed) return { allowed, used, resetMs, retryAfterMs: 0 }
  // While this window lasts only the share of the one before it shrinks; after it, that of this one does.
  const inThisWindow = windowMs * (1 - (max - cost - current) / previous) - ageMs
  const inTheNext = restMs + windowMs * (1 - (max - cost) / current)
  return { allowed, used, resetMs, retryAfterMs: Math.max(0, current + cost <= max ? inThisWindow : inTheNext) }
}
