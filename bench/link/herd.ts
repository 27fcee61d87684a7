/**
 * The herd: 1,000 clients lose one server for 12 s, in processes of their own; then it comes back. How soon are all of them
 * back, and how many connections a second does the server see at the worst? The naive strategy beside the link's is
 * the one of seed-like set-ups: every client waits the same growing time, min(n · 200 ms, 5 s).
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/support/wait.ts'
import { printTable } from './table.ts'

const PROCESSES = 4
const CLIENTS_EACH = 250
const OUTAGE_MS = 12_000
const STRATEGIES = ['evenkeel link', 'naive: n · 200 ms up to 5 s'] as const

export type Strategy = (typeof STRATEGIES)[number]
export interface HerdOrder {
  readonly strategy: Strategy
  readonly port: number
  readonly clients: number
}

export async function herd(): Promise<void> {
  console.log(`\nHerd: ${PROCESSES * CLIENTS_EACH} clients, ${OUTAGE_MS / 1000} s without a server\n`)
  const rows: string[][] = []
  for (const strategy of STRATEGIES) rows.push(await stampede(strategy))
  printTable(['strategy', 'back p50', 'back p99', 'back, all', 'peak connects in a second'], rows)
}

/** A server that accepts, answers the handshake and counts; a real Redis does not tell when each client came. */
class CountingServer {
  readonly #server: Server
  readonly arrivals: number[] = []

  constructor(answer: (text: string) => string) {
    this.#server = createServer((socket) => {
      this.arrivals.push(performance.now())
      socket.on('error', () => socket.destroy())
      socket.on('data', (data) => socket.write(answer(data.toString())))
    })
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1', 4096)
    await once(this.#server, 'listening')
  }

  close(): void {
    this.#server.close()
  }
}

async function stampede(strategy: Strategy): Promise<string[]> {
  const port = await freePort()
  const children = Array.from({ length: PROCESSES }, () => fork(new URL('herd-member.ts', import.meta.url)))
  await Promise.all(children.map((child) => once(child, 'message')))
  const order: HerdOrder = { strategy, port, clients: CLIENTS_EACH }
  for (const child of children) child.send(order)
  await sleep(OUTAGE_MS)
  const server = new CountingServer(answers)
  const openedAt = performance.now()
  await server.listen(port)
  const done = children.map((child) => once(child, 'exit'))
  await Promise.all(done)
  server.close()
  return [strategy, ...report(server.arrivals.map((at) => at - openedAt))]
}

function report(arrivals: readonly number[]): string[] {
  const sorted = arrivals.toSorted((one, other) => one - other)
  const at = (share: number): string => `${Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN)} ms`
  return [at(0.5), at(0.99), at(1), String(peak(sorted))]
}

/** The most arrivals within any 100 ms, per second. */
function peak(sorted: readonly number[]): number {
  let most = 0
  let from = 0
  for (const [to, at] of sorted.entries()) {
    while (at - (sorted[from] ?? at) > 100) from += 1
    most = Math.max(most, to - from + 1)
  }
  return most * 10
}

/** One reply per command: good enough a Redis for a handshake. */
function answers(text: string): string {
  return (text.match(/\*\d+\r\n/g) ?? []).map((_, n) => answerTo(text, n)).join('')
}

function answerTo(text: string, n: number): string {
  const command = text.split(/\*\d+\r\n/)[n + 1] ?? ''
  if (/HELLO/i.test(command)) return '*0\r\n'
  if (/TIME/i.test(command)) return '*2\r\n$1\r\n1\r\n$1\r\n1\r\n'
  if (/ROLE/i.test(command)) return '*1\r\n$6\r\nmaster\r\n'
  if (/INFO/i.test(command)) return '$0\r\n\r\n'
  if (/\bID\b/.test(command)) return ':1\r\n'
  return /PING/i.test(command) ? '+PONG\r\n' : '+OK\r\n'
}
