/**
 * What a driver tells about one connection, written down in the order in which it was told.
 */
import type { TestContext } from 'node:test'
import type { Address, Connection, ConnectionEvents, Driver, OpenOptions } from '../../src/link/driver.ts'
import { eventually } from '../support/wait.ts'

export interface Message {
  readonly channel: string
  readonly payload: Buffer
  readonly pattern: string | undefined
}

export class Witness implements ConnectionEvents {
  /** `open returned`, `opened`, `closed`, … */
  readonly log: string[] = []
  readonly causes: (Error | undefined)[] = []
  readonly messages: Message[] = []
  /** Keys as text, or null for all of them. */
  readonly invalidations: (string[] | null)[] = []
  #connection: Connection | undefined

  opened(): void {
    this.log.push('opened')
  }

  closed(cause: Error | undefined): void {
    this.log.push('closed')
    this.causes.push(cause)
  }

  message(channel: string, payload: Buffer, pattern: string | undefined): void {
    this.messages.push({ channel, payload, pattern })
  }

  invalidated(keys: readonly Buffer[] | null): void {
    this.invalidations.push(keys === null ? null : keys.map(String))
  }

  /** Opens a connection and sees to it that it is gone when the test is over. */
  open(test: TestContext, driver: Driver, target: Target): Connection {
    const options = {
      tls: undefined,
      protocol: 2,
      connectTimeoutMs: 5000,
      keepAliveMs: 30_000,
      ...target.options,
    } as const
    const connection = driver.open(addressOf(target), options, this)
    this.log.push('open returned')
    this.#connection = connection
    test.after(async () => {
      connection.kill()
      await this.untilClosed()
    })
    return connection
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('No connection was opened')
    return this.#connection
  }

  async untilOpened(): Promise<void> {
    await eventually('the connection opens', () => {
      if (this.causes[0] !== undefined) throw this.causes[0]
      return this.log.includes('opened')
    })
  }

  /** Resolves with the cause. */
  async untilClosed(): Promise<Error | undefined> {
    await eventually('the connection closes', () => this.log.includes('closed'))
    return this.causes[0]
  }
}

export type Target = ({ readonly port: number; readonly host?: string } | { readonly path: string }) & {
  readonly options?: Partial<OpenOptions>
}

function addressOf(target: Target): Address {
  return 'path' in target
    ? { kind: 'socket', path: target.path }
    : { kind: 'tcp', host: target.host ?? '127.0.0.1', port: target.port }
}

/** Opens a connection, waits until it is open, and greets with HELLO where RESP3 is asked for. */
export async function connected(test: TestContext, driver: Driver, target: Target): Promise<Witness> {
  const witness = new Witness()
  const connection = witness.open(test, driver, target)
  await witness.untilOpened()
  if (target.options?.protocol === 3) await connection.send(['HELLO', '3'], false)
  return witness
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`Rejected with ${String(error)}`, { cause: error })
  }
  throw new Error('Did not reject')
}

/** Codes and texts of an error with all that it wraps, in one line. */
export function wordsOf(error: Error | undefined): string {
  if (error === undefined) return 'no cause'
  const inner = error instanceof AggregateError ? error.errors.map((one: Error) => wordsOf(one)) : []
  return [error.name, 'code' in error ? String(error.code) : '', error.message, ...inner].join(' ').trim()
}
