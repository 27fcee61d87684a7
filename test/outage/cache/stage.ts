/** Where the cache is played through outages: one Redis, and several processes around it with a cache each. */
import { after } from 'node:test'
import { RedisServer } from '../../support/redis-server.ts'
import { Processes } from './processes.ts'

export interface Stage {
  readonly server: RedisServer
  readonly processes: Processes
}

/** For all tests of a file: it starts at once, and is taken down after the last of them. */
export async function stageOfFile(count: number): Promise<Stage> {
  const server = await RedisServer.start()
  const processes = await Processes.start(count)
  after(async () => {
    await processes.stop()
    await server.stop()
  })
  return { server, processes }
}
