/** A process of the application, to be paused, killed and asked. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { exited, spawnLeashed } from '../../support/leash.ts'
import { eventually } from '../../support/wait.ts'
import type { OrderFate, Part, Said, Told } from './shop-child.ts'

const CHILD = join(import.meta.dirname, 'shop-child.ts')
const READY_WITHIN_MS = 30_000

export class Crew implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #said: Said[] = []
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#process = child
    child.on('message', (said: Said) => void this.#said.push(said))
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
  }

  /** Resolves once it has its database. */
  static async start(part: Part): Promise<Crew> {
    const args = ['--conditions=evenkeel-source', '--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(part)]
    const crew = new Crew(spawnLeashed(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }))
    await crew.heard('ready', READY_WITHIN_MS)
    return crew
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** What it wrote to stderr: crashes and warnings. */
  get errors(): string {
    return this.#errors
  }

  /** Everything it has said of one kind. */
  all<Kind extends Said['kind']>(kind: Kind): Extract<Said, { kind: Kind }>[] {
    return this.#said.filter((said): said is Extract<Said, { kind: Kind }> => said.kind === kind)
  }

  /** Waits until it has said a thing of this kind. */
  async heard<Kind extends Said['kind']>(kind: Kind, timeoutMs = 20_000): Promise<Extract<Said, { kind: Kind }>> {
    const found = (): Extract<Said, { kind: Kind }> | undefined => {
      if (!this.running && this.all(kind).length === 0) throw new Error(`It has ended. ${this.#errors}`)
      return this.all(kind).at(-1)
    }
    return await eventually(`'${kind}' from process ${this.pid}`, found, { timeoutMs })
  }

  get orders(): OrderFate[] {
    return this.all('orders').flatMap(({ orders }) => orders)
  }

  async stats(): Promise<Extract<Said, { kind: 'stats' }>['stats']> {
    const before = this.all('stats').length
    this.tell({ kind: 'stats' })
    await eventually('counters', () => this.all('stats').length > before || !this.running)
    return (await this.heard('stats')).stats
  }

  tell(told: Told): void {
    if (!this.#process.connected) throw new Error(`Process ${this.pid} has ended. ${this.#errors}`)
    this.#process.send(told)
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await exited(this.#process)
    return this.#process.exitCode ?? this.#process.signalCode
  }

  /** Lets it end by itself: what it began is finished. */
  async stop(): Promise<void> {
    this.tell({ kind: 'stop' })
    await this.heard('stopped', 30_000)
    await this.ended()
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
