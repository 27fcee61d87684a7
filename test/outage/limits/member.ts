/** A process that shares a limit with others, as the test sees it. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { once } from 'node:events'
import { exited, spawnLeashed } from '../../support/leash.ts'

const PROGRAM = join(import.meta.dirname, 'limits-child.ts')

export interface Taken {
  readonly allowed: number
  readonly slowestMs: number
  readonly policies: readonly string[]
}

export class Member {
  readonly #child: ChildProcess
  readonly #lines: Interface

  constructor(...args: readonly (string | number)[]) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    this.#child = spawnLeashed(process.execPath, ['--conditions=evenkeel-source', PROGRAM, ...args.map(String)], {
      stdio: [...stdio],
    })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('The child has no output')
    this.#lines = createInterface({ input: stdout })
  }

  take(times: number): Promise<Taken> {
    return this.#ask<Taken>(`take ${times}`)
  }

  state(): Promise<{ readonly serves: boolean; readonly instances: number }> {
    return this.#ask('state')
  }

  async end(): Promise<void> {
    this.#child.stdin?.end()
    await exited(this.#child)
  }

  async #ask<Answer>(line: string): Promise<Answer> {
    const answered = once(this.#lines, 'line')
    this.#child.stdin?.write(`${line}\n`)
    const [text] = (await answered) as [string]
    return JSON.parse(text) as Answer
  }
}
