import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskDefinitions } from './definitions.ts'
import { checkDefinitions, readSettings } from './options.ts'

test('an option that cannot work is refused by its name', () => {
  const wrong: [object, string][] = [
    [{ concurrency: 0 }, 'tasks.concurrency'],
    [{ leaseMs: 10 }, 'tasks.leaseMs'],
    [{ mode: 'sweep' }, 'tasks.mode'],
    [{ queue: 'two words' }, 'tasks.queue'],
    [{ workers: 1 }, 'workers'],
  ]
  for (const [options, option] of wrong) assert.throws(() => readSettings(options), { code: 'OPTION_INVALID', option })
  assert.equal(readSettings({ sweepMs: undefined as never }).sweepMs, 1000)
})

test('a definition that cannot work is refused by its name', () => {
  const run = (): void => undefined
  const wrong: [object, string][] = [
    [{ a: { run: 'x' } }, 'a.run'],
    [{ a: { run, retry: { attempts: 0 } } }, 'a.retry.attempts'],
    [{ a: { run, timeoutMs: -1 } }, 'a.timeoutMs'],
    [{ a: { run, priority: 0.5 } }, 'a.priority'],
    [{ a: { run, retries: 3 } }, 'retries'],
    [{ a: { run, retry: { times: 3 } } }, 'times'],
    [{ '': { run } }, 'tasks'],
  ]
  for (const [definitions, option] of wrong)
    assert.throws(() => checkDefinitions(definitions as TaskDefinitions), { code: 'OPTION_INVALID', option })
})
