import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Algorithm } from './algorithm.ts'
import { fixedWindow } from './fixed-window.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

const SIZE = { max: 10, windowMs: 1000 }

/** Uses up one unit after the other; returns how many were allowed. */
function use<Account>(
  algorithm: Algorithm<Account>,
  account: Account,
  { now, times }: { readonly now: number; readonly times: number },
): { readonly account: Account; readonly allowed: number } {
  let current = account
  let allowed = 0
  for (let turn = 0; turn < times; turn++) {
    if (!algorithm.judge(current, now, 1).allowed) continue
    current = algorithm.charge(current, now, 1)
    allowed += 1
  }
  return { account: current, allowed }
}

function suite<Account>(name: string, algorithm: Algorithm<Account>): void {
  test(`${name}: as many as the limit at once, and not one more`, () => {
    const { account, allowed } = use(algorithm, algorithm.open(0), { now: 0, times: 25 })
    assert.equal(allowed, 10)
    const { used, retryAfterMs, resetMs } = algorithm.judge(account, 0, 1)
    assert.equal(Math.round(used), 10)
    assert.ok(retryAfterMs > 0 && resetMs >= retryAfterMs)
  })

  test(`${name}: allowed again after retryAfterMs, and not a moment before`, () => {
    const { account } = use(algorithm, algorithm.open(0), { now: 100, times: 10 })
    const { retryAfterMs } = algorithm.judge(account, 100, 1)
    assert.equal(algorithm.judge(account, 100 + retryAfterMs - 1, 1).allowed, false)
    assert.equal(algorithm.judge(account, 100 + retryAfterMs + 0.01, 1).allowed, true)
  })

  test(`${name}: nothing is used up after resetMs, and the account is idle`, () => {
    const { account } = use(algorithm, algorithm.open(0), { now: 100, times: 7 })
    const later = 100 + algorithm.judge(account, 100, 1).resetMs + 0.01
    assert.equal(algorithm.isIdle(account, 100), false)
    assert.ok(algorithm.judge(account, later, 1).used < 0.001)
    assert.equal(use(algorithm, account, { now: later, times: 25 }).allowed, 10)
  })

  test(`${name}: what is given back may be used again, and never more than was used`, () => {
    const { account } = use(algorithm, algorithm.open(0), { now: 0, times: 10 })
    const after = algorithm.charge(account, 0, -4)
    assert.equal(use(algorithm, after, { now: 0, times: 25 }).allowed, 4)
    assert.equal(use(algorithm, algorithm.charge(account, 0, -40), { now: 0, times: 25 }).allowed, 10)
  })

  test(`${name}: two accounts together have used up both shares`, () => {
    const one = use(algorithm, algorithm.open(0), { now: 0, times: 3 }).account
    const other = use(algorithm, algorithm.open(0), { now: 0, times: 4 }).account
    assert.equal(Math.round(algorithm.judge(algorithm.join(one, other, 0), 0, 0).used), 7)
    assert.equal(Math.round(algorithm.judge(algorithm.join(one, algorithm.open(0), 0), 0, 0).used), 3)
  })

  test(`${name}: a reply that is none of its script is refused`, () => {
    for (const reply of [null, 'OK', [1], [1, 'x', 3, 4], 7]) assert.throws(() => algorithm.read(reply, 0), TypeError)
  })
}

suite('fixed window', fixedWindow(SIZE))
suite('sliding window', slidingWindow(SIZE))
suite('token bucket', tokenBucket(SIZE))

test('fixed window: the first use opens it, however late it comes', () => {
  const algorithm = fixedWindow(SIZE)
  const { account } = use(algorithm, algorithm.open(0), { now: 900, times: 10 })
  assert.equal(algorithm.judge(account, 1500, 1).allowed, false)
  assert.equal(algorithm.judge(account, 1901, 1).allowed, true)
})

test('sliding window: no burst of twice the limit at the border of two windows', () => {
  const algorithm = slidingWindow(SIZE)
  const before = use(algorithm, algorithm.open(0), { now: 990, times: 10 })
  assert.equal(use(algorithm, before.account, { now: 1010, times: 10 }).allowed, 0)
  assert.equal(use(algorithm, before.account, { now: 1500, times: 10 }).allowed, 5)
})

test('token bucket: what was used comes back one by one', () => {
  const algorithm = tokenBucket(SIZE)
  const { account } = use(algorithm, algorithm.open(0), { now: 0, times: 10 })
  for (const [now, allowed] of [
    [99, 0],
    [100, 1],
    [550, 5],
  ] as const)
    assert.equal(use(algorithm, account, { now, times: 10 }).allowed, allowed, `after ${now} ms`)
})

test('fixed: what was put replaces what was counted, and uses after it add to it', () => {
  const algorithm = fixedWindow(SIZE)
  const counted = use(algorithm, algorithm.open(0), { now: 0, times: 4 }).account
  const put = algorithm.put?.(11, 5000) ?? assert.fail('fixed windows offer it')
  const joined = algorithm.join(counted, put, 100)
  assert.equal(algorithm.judge(joined, 4000, 1).allowed, false, 'longer than a window')
  assert.equal(algorithm.judge(algorithm.join(put, counted, 100), 100, 0).used, 15)
  assert.equal(algorithm.judge(joined, 5000, 1).allowed, true)
  const nothing = algorithm.put?.(0, 1000) ?? assert.fail('fixed windows offer it')
  assert.equal(algorithm.isIdle(nothing, 500), false, 'it has to be told')
  assert.equal(algorithm.join(counted, nothing, 500).used, 0)
})
