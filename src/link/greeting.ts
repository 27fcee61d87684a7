/**
 * What a server says by itself to somebody who has just come in. A server that is full, protected or over its plan says so
 * and hangs up; client libraries are writing at that moment, lose the text and report a reset. Here nobody writes: one bare
 * socket (with TLS where the endpoint has it) is opened, listened to for a moment and destroyed.
 */
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { type Clock, systemClock } from '../clock.ts'
import type { Address } from './driver.ts'
import type { Endpoint } from './endpoint.ts'
import { tlsAt } from './locate.ts'

export interface GreetingOptions {
  /** @default 200 */
  readonly budgetMs?: number
  /** @default the system's */
  readonly clock?: Clock
  /** Opens the socket. @default by `node:net` and `node:tls` */
  readonly open?: (address: Address, tls: Endpoint['tls']) => Duplex
}

/** Longer than any line that servers greet with. */
const MAX_BYTES = 1024
const LINE_END = '\n'

/**
 * The first line that the server says, without the `-` of an error reply: `ERR max number of clients reached`.
 * Undefined when it says nothing within the budget. Never rejects, and the socket is gone when it settles.
 */
export function greeting(
  address: Address,
  endpoint: Pick<Endpoint, 'tls'>,
  options: GreetingOptions = {},
): Promise<string | undefined> {
  return listen({ address, tls: endpoint.tls, ...DEFAULTS, ...options }).catch(() => undefined)
}

const DEFAULTS = { budgetMs: 200, clock: systemClock, open: openSocket } as const

function listen(
  options: Required<GreetingOptions> & { address: Address; tls: Endpoint['tls'] },
): Promise<string | undefined> {
  const { address, tls, budgetMs, clock, open } = options
  return new Promise((resolve) => {
    const heard: Buffer[] = []
    let bytes = 0
    const socket = open(address, tls)
    const finish = (): void => {
      clock.clearTimer(budget)
      socket.destroy()
      resolve(firstLine(Buffer.concat(heard)))
    }
    const budget = clock.setTimer(finish, budgetMs)
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk)
      bytes += chunk.length
      if (bytes >= MAX_BYTES || chunk.includes(LINE_END)) finish()
    })
    // Why there is no greeting is told by the attempt that came before this.
    socket.on('error', finish).on('end', finish).on('close', finish)
  })
}

function openSocket(address: Address, tls: Endpoint['tls']): Duplex {
  const target = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
  if (tls === undefined) return connectTcp(target)
  const { ca, ...settings } = tlsAt(address, tls) ?? {}
  return connectTls({ ...target, ...settings, ...(ca === undefined ? {} : { ca: [ca].flat() }) })
}

function firstLine(heard: Buffer): string | undefined {
  const line = heard.subarray(0, MAX_BYTES).toString('utf8').split(/\r?\n/, 1)[0]?.trim() ?? ''
  const text = line.startsWith('-') ? line.slice(1) : line
  return text === '' ? undefined : text
}
