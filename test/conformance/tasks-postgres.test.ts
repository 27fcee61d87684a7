/** The tasks in PostgreSQL. */
import { PostgresServer } from '../support/postgres-server.ts'
import { tasksSuite } from './tasks-suite.ts'

tasksSuite('postgres', async () => {
  const server = await PostgresServer.start()
  return { options: { url: server.url }, server, close: () => server.stop() }
})
