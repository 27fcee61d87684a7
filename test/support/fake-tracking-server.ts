/** The server behind a fake driver, as far as tracking goes: it numbers its connections and remembers what each tracks. */
import type { Reply } from '../../src/link/driver.ts'
import { healthy, type Answers, type FakeConnection, type FakeDriver } from './fake-driver.ts'

/** Answers these commands so, as they are sent, and all others like a server that tracks. */
export type Exceptions = Readonly<Record<string, Reply | undefined>>

export class FakeTrackingServer {
  exceptions: Exceptions = {}
  runId = 'run-1'
  /** Leaves these without an answer. */
  mute: (line: string, id: number) => boolean = () => false
  readonly #driver: FakeDriver

  constructor(driver: FakeDriver) {
    this.#driver = driver
    let connections = 0
    const { open } = driver
    driver.open = (address, options, events) => {
      const connection = open.call(driver, address, options, events) as FakeConnection
      connection.answers = this.#answersOf(++connections)
      return connection
    }
  }

  /** The connection that was opened as the first, second …: commands, lane, and whatever replaced one. */
  at(index: number): FakeConnection {
    const connection = this.#driver.connections[index]
    if (connection === undefined) throw new Error(`There is no connection ${index}`)
    return connection
  }

  #answersOf(id: number): Answers {
    let tracked: readonly string[] = []
    let redirect = -1
    return (args) => {
      const line = args.join(' ')
      const name = Object.keys(this.exceptions).find((start) => line.startsWith(start))
      if (name !== undefined) return this.exceptions[name]
      if (this.mute(line, id)) return undefined
      if (line === 'CLIENT ID') return id
      if (line === 'INFO server') return `run_id:${this.runId}\r\n`
      if (line === 'CLIENT TRACKING OFF') tracked = []
      if (line.startsWith('CLIENT TRACKING ON')) {
        redirect = Number(args[4])
        tracked = [...tracked, ...args.filter((_, index) => args[index - 1] === 'PREFIX')]
      }
      if (line === 'CLIENT TRACKINGINFO')
        return ['flags', ['on', 'bcast', 'noloop'], 'redirect', redirect, 'prefixes', tracked]
      return healthy(args)
    }
  }
}
