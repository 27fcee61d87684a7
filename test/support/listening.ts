/** Servers of tests, on a free port of this machine. */
import { once } from 'node:events'
import type { Server } from 'node:net'

/** Resolves to where it listens now, such as `http://127.0.0.1:40123`. */
export async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It listens on no port.')
  return `http://127.0.0.1:${address.port}`
}
