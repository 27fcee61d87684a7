/** A driver whose connections a unit test holds in its hand: it opens them, answers or does not, and ends them. */
import type {
  Address,
  Argument,
  Connection,
  ConnectionEvents,
  Driver,
  OpenOptions,
  Reply,
  SubscriptionKind,
} from '../../src/link/driver.ts'

/** What a server of the test answers; undefined: nothing, for now. */
export type Answers = (args: readonly string[]) => Reply | undefined

export class FakeErrorReply extends Error {}

/** Answers the handshake, and everything else with OK. */
export function healthy(args: readonly string[]): Reply | undefined {
  const [name = '', subcommand] = args
  if (name === 'TIME') return ['1770000000', '0']
  if (name === 'INFO') return '# Server\r\nredis_version:7.0.15\r\nrun_id:run-1\r\n'
  if (name === 'ROLE') return ['master', 0, []]
  if (name === 'CLIENT' && subcommand === 'ID') return 1
  return name === 'PING' ? 'PONG' : 'OK'
}

/** Answers these commands so, by their name, and everything else like `healthy`. */
export function healthyBut(exceptions: Readonly<Record<string, Reply | undefined>>): Answers {
  return (args) => {
    const name = args[0] ?? ''
    return Object.hasOwn(exceptions, name) ? exceptions[name] : healthy(args)
  }
}

export class FakeDriver implements Driver {
  readonly name = 'fake'
  readonly protocols: readonly (2 | 3)[]
  readonly connections: FakeConnection[] = []
  /** For new connections: do they open by themselves, and what is answered on them. */
  opens = true
  answers: Answers = healthy

  constructor(protocols: readonly (2 | 3)[] = [2]) {
    this.protocols = protocols
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('No connection was opened')
    return last
  }

  open(address: Address, options: OpenOptions, events: ConnectionEvents): Connection {
    const connection = new FakeConnection(address, options, { events, answers: this.answers })
    this.connections.push(connection)
    if (this.opens) queueMicrotask(() => connection.open())
    return connection
  }

  isErrorReply(error: unknown): boolean {
    return error instanceof FakeErrorReply
  }
}

interface Waiting {
  readonly args: readonly string[]
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

export class FakeConnection implements Connection {
  readonly address: Address
  readonly options: OpenOptions
  readonly events: ConnectionEvents
  /** Every command that was sent, each as one line. */
  readonly sent: string[] = []
  answers: Answers
  killed = false
  #over = false
  #waiting: Waiting[] = []

  constructor(
    address: Address,
    options: OpenOptions,
    { events, answers }: { readonly events: ConnectionEvents; readonly answers: Answers },
  ) {
    this.address = address
    this.options = options
    this.events = events
    this.answers = answers
  }

  /** Commands without an answer. */
  get waiting(): readonly string[] {
    return this.#waiting.map(({ args }) => args.join(' '))
  }

  open(): void {
    if (!this.#over) this.events.opened()
  }

  /** The server, or the way to it, ends the connection. */
  end(cause?: Error): void {
    if (this.#over) return
    this.#over = true
    this.events.closed(cause)
    for (const { reject } of this.#waiting.splice(0)) reject(cause ?? new Error('Socket closed unexpectedly'))
  }

  /** Answers the oldest command without an answer. */
  reply(reply: Reply): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) throw new Error('Nothing waits for a reply')
    settle(waiting, reply)
  }

  send(args: readonly Argument[]): Promise<Reply> {
    const words = args.map(String)
    this.sent.push(words.join(' '))
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { args: words, resolve, reject }
      const reply = this.#waiting.length === 0 ? this.answers(words) : undefined
      if (reply === undefined) this.#waiting.push(waiting)
      else settle(waiting, reply)
    })
  }

  async subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    await this.send([kind === 'channel' ? 'SUBSCRIBE' : 'PSUBSCRIBE', ...names])
  }

  async unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    await this.send([kind === 'channel' ? 'UNSUBSCRIBE' : 'PUNSUBSCRIBE', ...names])
  }

  kill(): void {
    this.killed = true
    if (this.#over) return
    this.#over = true
    queueMicrotask(() => this.events.closed(undefined))
  }
}

function settle({ resolve, reject }: Waiting, reply: Reply): void {
  if (reply instanceof Error) reject(reply)
  else resolve(reply)
}
