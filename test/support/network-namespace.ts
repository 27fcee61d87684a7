/**
 * A network of one's own: interfaces, addresses, sysctls and ports that no other process sees. It lives as long as the
 * leashed process that holds it, so it goes when a test is killed.
 */

import { execFile, type ChildProcess } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { exited, spawnLeashed } from './leash.ts'
import { eventually } from './wait.ts'

const run = promisify(execFile)

export class NetworkNamespace {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  /** With a loopback that is down and nothing else. */
  static async start(): Promise<NetworkNamespace> {
    const holder = spawnLeashed('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
    const ours = await readlink('/proc/self/ns/net')
    await eventually('the namespace is there', async () => (await readlink(`/proc/${holder.pid}/ns/net`)) !== ours)
    return new NetworkNamespace(holder)
  }

  /** Where `ip link` moves an end of a cable to. */
  get pid(): number {
    return this.#holder.pid ?? 0
  }

  /** What a command has to begin with to run in it; it becomes the program (same pid). */
  get launcher(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`]
  }

  /** Runs a program in it; rejects when the program fails. */
  async run(...command: string[]): Promise<string> {
    const [program = '', ...args] = [...this.launcher, ...command]
    return (await run(program, args)).stdout
  }

  async stop(): Promise<void> {
    this.#holder.kill('SIGKILL')
    await exited(this.#holder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
