/** The tasks in the embedded database. */
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { tasksSuite } from './tasks-suite.ts'

tasksSuite('sqlite', async () => {
  const directory = scratchDirectory('tasks')
  return { options: { directory }, close: async () => removeScratch(directory) }
})
