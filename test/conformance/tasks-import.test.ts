/** Importing and making tasks opens nothing, with no server anywhere. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

test('importing and creating tasks opens no socket, no file and no timer', async () => {
  const program = `
    import { createDatabase } from 'evenkeel/database'
    import { createLink } from 'evenkeel/link'
    import { createTasks, defineTasks } from 'evenkeel/tasks'
    const definitions = defineTasks({ a: { run: () => 1 } })
    createTasks(definitions, { database: createDatabase({ url: 'postgres://h/x' }), link: createLink('redis://h') })
    createTasks(definitions, { database: createDatabase({ directory: '/nowhere/at/all' }) })
    console.log(JSON.stringify(process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FS|Immediate/.test(name))))`
  const args = ['--conditions=evenkeel-source', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../..') })
  assert.deepEqual(JSON.parse(stdout), [])
})
