/** Runs a program and keeps what it said. */
import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { root } from './project.ts'

/** The project's own tools come first, as they do in npm scripts. */
const PATH = `${root}/node_modules/.bin${delimiter}${process.env['PATH'] ?? ''}`
/** Undefined is unset: a runner inside of a test would otherwise speak to that test instead of to people. */
const env = { ...process.env, PATH, FORCE_COLOR: '0', NODE_TEST_CONTEXT: undefined }

/** How a program ended. */
export interface Outcome {
  readonly ok: boolean
  /** Both streams in the order in which they came. */
  readonly output: string
  readonly seconds: number
}

export interface CommandOptions {
  /** @default the root of the project */
  readonly cwd?: string
  /** A program that takes longer hangs: it is killed, and has failed. Far more than a busy machine needs. @default 300_000 */
  readonly limitMs?: number
}

/** Never rejects: a program that cannot be started has failed, and says why. */
export async function runCommand(words: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const { cwd = root, limitMs = 300_000 } = options
  const [program = '', ...args] = words
  const started = performance.now()
  const chunks: string[] = []
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.once('error', (error) => {
    chunks.push(`${error.message}\n`)
    resolve(false)
  })
  child.once('close', (code, signal) => {
    if (signal !== null) chunks.push(`${program} was ended by ${signal}\n`)
    resolve(code === 0)
  })
  const ok = await promise
  return { ok, output: chunks.join(''), seconds: (performance.now() - started) / 1000 }
}

/** For a step that cannot go on without: the output, or an error that holds it. */
export async function mustRun(words: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { ok, output } = await runCommand(words, options)
  if (!ok) throw new Error(`${words.join(' ')}\n${output}`)
  return output
}
