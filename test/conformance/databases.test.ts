/** Both engines of the durable side pass one suite. */

import { databaseSuite } from './database-suite.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'

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
