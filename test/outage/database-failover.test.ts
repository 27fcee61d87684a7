/**
 * A failover: the name leads to a new primary while open connections stay at the old one, which now refuses writes.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { createDatabase } from 'evenkeel/database'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { LOAD_MIGRATIONS } from './database-load.ts'

test('writes go to the new primary soon after the name does, without a restart', async () => {
  await using old = await PostgresServer.start()
  await using fresh = await PostgresServer.start()
  await using name = await Name.of(old)
  const database = createDatabase({ url: old.url.replace(`:${old.port}/`, `:${name.port}/`) })
  database.migrate('load', LOAD_MIGRATIONS)
  database.start()
  try {
    await Promise.all(Array.from({ length: 20 }, () => database.query('SELECT pg_sleep(0.01)')))
    await fresh.sql('CREATE TABLE load_rows (id TEXT PRIMARY KEY)')
    await old.sql('ALTER SYSTEM SET default_transaction_read_only = on')
    await old.sql('SELECT pg_reload_conf()')
    name.target = fresh
    const begun = performance.now()
    let n = 0
    const write = (): Promise<unknown> => database.query('INSERT INTO load_rows (id) VALUES ($1)', [`row-${n++}`])
    await eventually('ten writes in a row succeed', async () => {
      for (let times = 0; times < 10; times++) await write()
      return true
    })
    await eventually('the health says so', () => database.health.state === 'up')
    // Two write probes, half a second apart; the rest is slack for a busy machine.
    assert.ok(performance.now() - begun < 5000, `after ${performance.now() - begun} ms`)
    const rows = await fresh.sql('SELECT id FROM load_rows')
    assert.ok(rows.length >= 10)
  } finally {
    await database.close()
  }
})

/** A host name in the shape of a port: new connections go to its target of the moment, open ones stay where they are. */
class Name {
  target: PostgresServer
  readonly port: number
  readonly #sockets: Set<Socket>
  readonly #end: () => void

  private constructor(parts: { target: PostgresServer; port: number; sockets: Set<Socket>; end: () => void }) {
    this.target = parts.target
    this.port = parts.port
    this.#sockets = parts.sockets
    this.#end = parts.end
  }

  static async of(target: PostgresServer): Promise<Name> {
    const sockets = new Set<Socket>()
    const listener = createServer((client) => {
      const server = connect(name.target.port, name.target.host)
      for (const socket of [client, server]) {
        sockets.add(socket)
        socket.on('error', () => socket.destroy())
      }
      client.pipe(server).pipe(client)
    })
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const { port } = listener.address() as AddressInfo
    const name = new Name({ target, port, sockets, end: () => listener.close() })
    return name
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#end()
  }
}
