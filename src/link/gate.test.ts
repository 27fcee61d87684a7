import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttemptGate } from './gate.ts'

type Result = 'failed' | 'connected'

/** Attempts that the test ends one by one. */
function attempts() {
  const gate = new AttemptGate<Result>((result) => result === 'failed')
  const begun: string[] = []
  const ends = new Map<string, (result: Result) => void>()
  const enter = async (name: string, key = 'redis'): Promise<string> => {
    const attempt = (): Promise<Result> => {
      begun.push(name)
      return new Promise((resolve) => ends.set(name, resolve))
    }
    return `${name} ${await gate.enter(key, attempt)}`
  }
  const end = (name: string, result: Result): void => ends.get(name)?.(result)
  return { begun, enter, end }
}

test('AttemptGate lets the next in when the one before has connected', async () => {
  const { begun, enter, end } = attempts()
  const all = ['a', 'b', 'c'].map((name) => enter(name))
  assert.deepEqual(begun, ['a'])
  end('a', 'connected')
  assert.equal(await all[0], 'a connected')
  await Promise.resolve()
  assert.deepEqual(begun, ['a', 'b'])
  end('b', 'connected')
  await all[1]
  await Promise.resolve()
  end('c', 'connected')
  assert.deepEqual(await Promise.all(all), ['a connected', 'b connected', 'c connected'])
})

test('AttemptGate gives a failure to all who waited, so that one outage is asked about once', async () => {
  const { begun, enter, end } = attempts()
  const all = ['a', 'b', 'c'].map((name) => enter(name))
  end('a', 'failed')
  assert.deepEqual(await Promise.all(all), ['a failed', 'b failed', 'c failed'])
  assert.deepEqual(begun, ['a'])
  const again = enter('d')
  end('d', 'connected')
  assert.equal(await again, 'd connected')
})

test('AttemptGate keeps apart what has nothing to do with each other', async () => {
  const { begun, enter, end } = attempts()
  const all = [enter('a', 'redis-1'), enter('b', 'redis-2')]
  assert.deepEqual(begun, ['a', 'b'])
  end('b', 'connected')
  end('a', 'failed')
  assert.deepEqual(await Promise.all(all), ['a failed', 'b connected'])
})
