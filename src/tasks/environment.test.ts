import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tasksFromEnvironment } from './environment.ts'

test('tasksFromEnvironment() reads the mode, and why', () => {
  const modes: [Record<string, string>, object][] = [
    [{}, {}],
    [{ ENABLE_BACKGROUND_TASKS: '' }, {}],
    [{ ENABLE_BACKGROUND_TASKS: 'true' }, {}],
    [{ ENABLE_BACKGROUND_TASKS: 'False' }, { mode: 'db', modeReason: 'ENABLE_BACKGROUND_TASKS=False' }],
    [{ EVENKEEL_TASKS: 'OFF' }, { mode: 'off', modeReason: 'EVENKEEL_TASKS=OFF' }],
    [
      { EVENKEEL_TASKS: 'auto', ENABLE_BACKGROUND_TASKS: '0' },
      { mode: 'auto', modeReason: 'EVENKEEL_TASKS=auto' },
    ],
    [{ EVENKEEL_TASKS_CONCURRENCY: '3' }, { concurrency: 3 }],
  ]
  for (const [environment, expected] of modes) assert.deepEqual(tasksFromEnvironment(environment), expected)
})

test('what cannot be read is refused by the name of the variable', () => {
  for (const [name, value] of [
    ['ENABLE_BACKGROUND_TASKS', 'perhaps'],
    ['EVENKEEL_TASKS', 'sweep'],
    ['EVENKEEL_TASKS_CONCURRENCY', '0'],
  ] as const)
    assert.throws(() => tasksFromEnvironment({ [name]: value }), { code: 'OPTION_INVALID', option: name })
})
