import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rateLimitHeaders } from './headers.ts'
import type { Verdict } from './limit.ts'

const verdict: Verdict = {
  allowed: true,
  limit: 100,
  used: 58,
  remaining: 42,
  resetMs: 12_300,
  retryAfterMs: 0,
  policy: 'redis',
  degraded: false,
}

test('rateLimitHeaders() of a call that was allowed', () => {
  assert.deepEqual(rateLimitHeaders(verdict, { name: 'api', windowMs: 60_000 }), {
    'ratelimit-policy': '"api";q=100;w=60',
    ratelimit: '"api";r=42;t=13',
    'ratelimit-limit': '100',
    'ratelimit-remaining': '42',
    'ratelimit-reset': '13',
  })
})

test('rateLimitHeaders() of a refusal says when to come again, never 0', () => {
  const refused = { ...verdict, allowed: false, remaining: 0, retryAfterMs: 5 }
  assert.equal(rateLimitHeaders(refused, { name: 'api', windowMs: 60_000 })['retry-after'], '1')
})
