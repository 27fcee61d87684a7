/** Both engines of the durable side pass one suite. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { databaseSuite } from './database-suite.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'

test('importing and creating a database opens nothing and loads neither engine', async () => {
  const program = `
    import { createDatabase } from 'evenkeel/database'
    createDatabase({ url: 'postgres://h/x' })
    createDatabase({ directory: '/nowhere/at/all' })
    const loaded = process.moduleLoadList.filter((name) => /sqlite/.test(name))
    const { createRequire } = await import('node:module')
    const pg = Object.keys(createRequire(import.meta.url).cache).filter((path) => /node_modules.pg.lib/.test(path))
    console.log(JSON.stringify({ loaded, pg, busy: process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FS/.test(name)) }))`
  const args = ['--conditions=evenkeel-source', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../..') })
  assert.deepEqual(JSON.parse(stdout), { loaded: [], pg: [], busy: [] })
})

databaseSuite('sqlite', async () => {
  const directory = scratchDirectory('sqlite')
  return {
    options: { directory },
    close: async () => removeScratch(directory),
  }
})

databaseSuite('postgres', async () => {
  const server = await PostgresServer.start()
  return {
    options: { url: server.url },
    close: () => server.stop(),
  }
})
