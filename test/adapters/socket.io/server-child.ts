/** A server of socket.io as a process of its own, and what the test has it do. */
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Server } from 'socket.io'
import { socketIoAdapter, socketIoTopics, type SocketIoOptions } from '../../../src/adapters/socket.io.ts'
import { createEvents } from '../../../src/events/index.ts'
import { createEvenkeel } from '../../../src/index.ts'
import { answerCalls } from '../../support/answer-calls.ts'
import { listening } from '../../support/listening.ts'

export interface ServerSettings {
  readonly redis: string
  /** PostgreSQL, or a folder for SQLite; undefined: no way but Redis. */
  readonly database?: string | { readonly directory: string }
  readonly options?: SocketIoOptions
}

export interface Timed<Result> {
  readonly result: Result
  readonly milliseconds: number
}

const http = createServer()
const io = new Server(http, { connectionStateRecovery: {} })
const heard: unknown[][] = []
const partials: unknown[] = []
const lag = monitorEventLoopDelay({ resolution: 10 })
let place = (): string => 'local'

async function timed<Result>(run: () => Result | Promise<Result>): Promise<Timed<Result>> {
  const startedAt = performance.now()
  const result = await run()
  return { result, milliseconds: performance.now() - startedAt }
}

const functions = {
  async listen({ redis, database, options }: ServerSettings): Promise<string> {
    const keel = createEvenkeel({ redis, database: database ?? { directory: process.cwd() }, logger: false })
    const events =
      database === undefined
        ? createEvents(socketIoTopics, { link: keel.link, name: 'socket.io' })
        : keel.events(socketIoTopics, { name: 'socket.io' })
    place = () => events.stats.place
    if (database === undefined) {
      events.start()
      keel.link.start()
    } else await keel.start()
    io.adapter(socketIoAdapter(events, options))
    for (const namespace of [io.of('/'), io.of('/other')]) {
      namespace.adapter.on('partial', (told: unknown) => partials.push(told))
      namespace.on('connection', (socket) => {
        socket.data = { user: socket.handshake.auth['user'] }
        socket.on('join', (room: string, done: () => void) => {
          void socket.join(room)
          done()
        })
      })
    }
    io.on('told', (...args: unknown[]) => void heard.push(args))
    io.on('asked', (question: string, answer: (text: string) => void) => answer(`${question}: ${process.pid}`))
    const url = await listening(http)
    lag.enable()
    return url
  },
  emit: (...args: unknown[]): Promise<Timed<unknown>> => timed(() => io.emit('note', ...args)),
  emitTo: (rooms: string[], except: string[], ...args: unknown[]) =>
    void io
      .to(rooms)
      .except(except)
      .emit('note', ...args),
  emitLocal: (...args: unknown[]) => void io.local.emit('note', ...args),
  emitElsewhere: (...args: unknown[]) => void io.of('/other').emit('note', ...args),
  emitWithAck: (timeoutMs: number) => timed(() => io.timeout(timeoutMs).emitWithAck('question')),
  join: (room: string) => io.socketsJoin(room),
  leave: (room: string) => io.socketsLeave(room),
  disconnect: (room: string) => io.in(room).disconnectSockets(true),
  async fetchSockets(): Promise<Timed<{ id: string; data: unknown; rooms: string[] }[]>> {
    return await timed(async () =>
      (await io.fetchSockets()).map(({ id, data, rooms }) => ({ id, data, rooms: [...rooms] })),
    )
  },
  async emitToEach(): Promise<void> {
    for (const socket of await io.fetchSockets()) socket.emit('note', `to ${socket.id}`)
  },
  tell: (...args: unknown[]) => void io.serverSideEmit('told', ...args),
  ask: (question: string) =>
    timed(
      () => io.serverSideEmitWithAck('asked', question).catch((error: unknown) => String(error)) as Promise<unknown>,
    ),
  serverCount: () => io.of('/').adapter.serverCount(),
  state: () => ({ place: place(), heard, partials, maxLagMs: lag.max / 1e6 }),
  /** Ends a client's connection as a bad network would. */
  cut: (id: string) => void io.sockets.sockets.get(id)?.conn.close(),
  close: async (): Promise<void> => void (await io.close()),
}

export type SocketServer = typeof functions

answerCalls(functions)
