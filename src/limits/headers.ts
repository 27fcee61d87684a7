/**
 * A verdict as HTTP headers: `RateLimit` and `RateLimit-Policy` as the IETF draft has them since its eighth version
 * (draft-ietf-httpapi-ratelimit-headers), the three single headers of the older versions for clients that read those, and
 * `Retry-After` (RFC 9110, 10.2.3) when the call was refused.
 */
import type { Verdict } from './limit.ts'

export interface HeaderOptions {
  /** Name of the limit, as it stands in the headers. */
  readonly name: string
  readonly windowMs: number
}

/** Header names are lower case; times are whole seconds, rounded up. */
export function rateLimitHeaders(verdict: Verdict, { name, windowMs }: HeaderOptions): Record<string, string> {
  const { allowed, limit, remaining, resetMs, retryAfterMs } = verdict
  const reset = seconds(resetMs)
  return {
    'ratelimit-policy': `"${name}";q=${limit};w=${seconds(windowMs)}`,
    ratelimit: `"${name}";r=${remaining};t=${reset}`,
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
    ...(allowed ? {} : { 'retry-after': String(Math.max(1, seconds(retryAfterMs))) }),
  }
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
