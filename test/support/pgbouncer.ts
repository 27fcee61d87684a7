/**
 * A real PgBouncer in front of a PostgresServer, in transaction mode: each transaction may run on another connection.
 */

import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exited, removeScratch, spawnLeashed } from './leash.ts'
import { give, ownedScratch, ownerOfServers, type PostgresServer } from './postgres-server.ts'
import { requireProgram } from './provision.ts'
import { RawClient } from './raw-client.ts'
import { eventually, freePort } from './wait.ts'

export class PgBouncer {
  readonly #process: ChildProcess
  readonly #scratch: string
  readonly url: string

  private constructor(child: ChildProcess, scratch: string, url: string) {
    this.#process = child
    this.#scratch = scratch
    this.url = url
  }

  /** `lines` of pgbouncer.ini beyond the usual ones. */
  static async start(server: PostgresServer, lines: readonly string[] = []): Promise<PgBouncer> {
    const program = await requireProgram('pgbouncer')
    const owner = ownerOfServers()
    const scratch = ownedScratch('pgbouncer', owner)
    const port = await freePort()
    const config = join(scratch, 'pgbouncer.ini')
    writeFileSync(config, [configuration(server, port), ...lines, ''].join('\n'))
    give(config, owner)
    const child = spawnLeashed(program, [config], { stdio: 'ignore', cwd: scratch, ...owner })
    await eventually('PgBouncer listens', async () => {
      const client = await RawClient.connect(port)
      client.close()
      return true
    })
    return new PgBouncer(child, scratch, server.url.replace(`:${server.port}/`, `:${port}/`))
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await exited(this.#process)
    removeScratch(this.#scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Whoever comes is let in; PgBouncer itself logs in with the password of the server's URL. */
function configuration(server: PostgresServer, port: number): string {
  const { username, password, pathname } = new URL(server.url)
  const account = `user=${username} password='${decodeURIComponent(password)}'`
  return `[databases]
${pathname.slice(1)} = host=${server.host} port=${server.port} ${account}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
`
}
