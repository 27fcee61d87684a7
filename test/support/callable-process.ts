/**
 * A process of its own whose functions the test calls as if they were here: several processes around one Redis, each of
 * which can be killed, frozen and asked. The other end is `answerCalls` in `answer-calls.ts`.
 */

import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { exited, spawnLeashed } from './leash.ts'

/** What the process answers: names to functions; arguments and results travel as structured clones. */
export type Callable<Functions> = { readonly [Name in keyof Functions]: (...args: never[]) => unknown }

export interface CallMessage {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

export type AnswerMessage = { readonly id: number; readonly value?: unknown; readonly error?: string } | 'listening'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface CallableProcessOptions {
  /** Options of Node itself, such as `--expose-gc`. */
  readonly execArgv?: readonly string[]
  /** What it says on stdout is kept in `output` and not passed on. @default false */
  readonly keepOutput?: boolean
}

export class CallableProcess<Functions extends Callable<Functions>> {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #listening: Promise<void>
  #calls = 0
  #output = ''
  #errors = ''

  private constructor(file: URL, { execArgv = [], keepOutput = false }: CallableProcessOptions) {
    const args = ['--conditions=evenkeel-source', ...execArgv, fileURLToPath(file)]
    this.#process = spawnLeashed(process.execPath, args, {
      stdio: ['ignore', keepOutput ? 'pipe' : 'inherit', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
    this.#listening = new Promise((resolve, reject) => {
      this.#process.on('message', (message: AnswerMessage) => {
        if (message === 'listening') resolve()
        else this.#settle(message)
      })
      this.#process.once('exit', (code, signal) => reject(this.#end(code ?? signal)))
    })
    // Whoever started it waits for this; its end later on is told to the calls that wait then.
    this.#listening.catch(() => 'told to the caller of start()')
  }

  /** Resolves once the process answers calls. */
  static async start<Functions extends Callable<Functions>>(
    file: URL,
    options: CallableProcessOptions = {},
  ): Promise<CallableProcess<Functions>> {
    const started = new CallableProcess<Functions>(file, options)
    await started.#listening
    return started
  }

  /** What it said on stdout, when that is kept. */
  get output(): string {
    return this.#output
  }

  /** Code or signal that it ended with; undefined as long as it lives. */
  get ending(): number | NodeJS.Signals | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined
  }

  /** What it said on stderr. */
  get errors(): string {
    return this.#errors
  }

  /** Rejects with what the function threw, or when the process ends before it has answered. */
  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Awaited<ReturnType<Functions[Name]>>> {
    const id = ++this.#calls
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#process.send({ id, name, args } satisfies CallMessage, (error) => {
      if (error !== null) this.#settle({ id, error: error.message })
    })
    return answer as Promise<Awaited<ReturnType<Functions[Name]>>>
  }

  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  /** SIGKILL: no goodbye. */
  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await exited(this.#process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #settle(answer: Exclude<AnswerMessage, 'listening'>): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.error === undefined) waiting?.resolve(answer.value)
    else waiting?.reject(new Error(answer.error))
  }

  #end(how: number | NodeJS.Signals | null): Error {
    const error = new Error(`The process ended (${how ?? 'unknown'}) before it had answered: ${this.#errors}`)
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
    return error
  }
}
