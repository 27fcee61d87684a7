import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/leash.ts'
import { createEvenkeel, evenkeelOptionsFromEnvironment } from '../evenkeel.ts'
import { channels } from './channels.ts'

test('ENABLE_BACKGROUND_TASKS=false is told once, with what becomes of the tasks, and each answer says it', async () => {
  const lines: string[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const keel = createEvenkeel({
    ...evenkeelOptionsFromEnvironment({ REDIS_URL: 'redis://127.0.0.1:1', ENABLE_BACKGROUND_TASKS: 'false' }),
    database: { directory: join(scratchDirectory('keel'), 'data') },
    logger: { info: line, warn: line, error: line },
  })
  const tasks = keel.tasks({ executeOrder: { run: () => 'done' } })
  await keel.start()
  for (let n = 0; n < 3; n++) {
    const { via, reason } = await tasks.start('executeOrder', null)
    assert.equal(via, 'database')
    assert.match(reason ?? '', /ENABLE_BACKGROUND_TASKS=false/)
  }
  const told = lines.filter((text) => text.includes('will be processed by the scheduled sweep'))
  assert.deepEqual(told.length, 1)
  assert.match(told[0] ?? '', /ENABLE_BACKGROUND_TASKS=false/)
  await keel.close()
  assert.equal(channels.taskRoute.hasSubscribers, false)
})
