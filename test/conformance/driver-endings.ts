/**
 * Conformance of drivers: however a connection ends, it ends once, with its cause, and leaves nothing behind.
 */
import assert from 'node:assert/strict'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { Fault } from '../support/fault-proxy.ts'
import { BlackHole } from '../support/black-hole.ts'
import { certificates } from '../support/certificates.ts'
import { eventually } from '../support/wait.ts'
import { socketPath, type Rig } from './driver-rig.ts'
import { connected, rejection, Witness, wordsOf } from './witness.ts'

/** What ends a connection from outside while a command is in flight, and the words by which it can be told. */
const ENDINGS: readonly { readonly fault: Fault; readonly cause: RegExp }[] = [
  { fault: 'reset-before', cause: /ECONNRESET/ },
  { fault: 'reset-after', cause: /ECONNRESET/ },
  { fault: 'accept-close', cause: /Socket closed unexpectedly/ },
  { fault: { closeAfterBytes: 3 }, cause: /Socket closed unexpectedly/ },
  { fault: 'truncate', cause: /ECONNRESET/ },
  { fault: 'garbage', cause: /(Unknown RESP type 72|Protocol error, got) "H"/ },
]

export function endingSuite(rig: Rig): void {
  const { driver, server, proxy } = rig
  describe('endings', () => {
    for (const { fault, cause } of ENDINGS)
      test(`${typeof fault === 'string' ? fault : 'FIN inside a reply'}: in flight`, async (t) => {
        const front = proxy()
        t.after(() => front.set('pass'))
        const witness = await connected(t, driver(), front)
        await witness.connection.send(['SET', 'greeting', 'a value of some length'], false)
        const settled = Promise.allSettled(
          Array.from({ length: 10 }, () => witness.connection.send(['GET', 'greeting'], false)),
        )
        front.set(fault)
        assert.match(wordsOf(await witness.untilClosed()), cause)
        const failures = (await settled).filter((result) => result.status === 'rejected')
        assert.ok(failures.length > 0 && failures.every(({ reason }) => !driver().isErrorReply(reason)))
        await delay(50)
        assert.deepEqual(witness.log, ['open returned', 'opened', 'closed'])
        assert.match(wordsOf(await rejection(witness.connection.send(['PING'], false))), /./)
      })

    test('the cause is told before the commands in flight reject', async (t) => {
      const front = proxy()
      t.after(() => front.set('pass'))
      const witness = await connected(t, driver(), front)
      front.set('reset-after')
      const failed = rejection(witness.connection.send(['PING'], false))
      await failed
      assert.deepEqual(witness.log, ['open returned', 'opened', 'closed'])
    })

    test('idle: FIN and RST', async (t) => {
      for (const end of ['finConnections', 'resetConnections'] as const) {
        const witness = await connected(t, driver(), proxy())
        await witness.connection.send(['PING'], false)
        proxy()[end]()
        assert.match(wordsOf(await witness.untilClosed()), /ECONNRESET|Socket closed unexpectedly/)
        assert.deepEqual(witness.log, ['open returned', 'opened', 'closed'])
      }
    })

    test('a subscriber ends like any other', async (t) => {
      const witness = await connected(t, driver(), proxy())
      await witness.connection.subscribe('channel', ['news'])
      proxy().resetConnections()
      assert.match(wordsOf(await witness.untilClosed()), /ECONNRESET/)
      await rejection(witness.connection.subscribe('channel', ['more']))
      await rejection(witness.connection.unsubscribe('channel', ['news']))
    })

    test('an answer that nobody asked for ends it', async (t) => {
      const talkative = createServer((socket) => {
        socket.on('error', () => 'the reset')
        socket.write('+who is there?\r\n')
      })
      const witness = new Witness()
      witness.open(t, driver(), { port: await listening(t, talkative) })
      assert.ok((await witness.untilClosed()) instanceof Error)
      assert.equal(witness.causes.length, 1)
    })

    test('kill() resets the connection', async (t) => {
      const ends: string[] = []
      const peer = createServer((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message))
        socket.on('end', () => ends.push('FIN'))
        socket.resume()
      })
      const witness = await connected(t, driver(), { port: await listening(t, peer) })
      void witness.connection.send(['GET', 'never answered'], false).catch(() => 'may reject')
      await eventually('the server has the connection', () => countOf(peer))
      witness.connection.kill()
      assert.equal(await witness.untilClosed(), undefined)
      await eventually('the server sees the end', () => ends.length > 0)
      assert.deepEqual(ends, ['ECONNRESET'])
    })

    for (const encrypted of [false, true])
      test(`kill() while it answers a FIN${encrypted ? ', over TLS' : ''}`, async (t) => {
        const { ca, server: identity } = await certificates()
        const peers: Socket[] = []
        // Keeps its own half open, as a server does that has just said good-bye.
        const accept = (socket: Socket): void => void peers.push(socket.on('error', () => 'the reset').resume())
        const peer = encrypted
          ? createTlsServer({ cert: identity.cert, key: identity.key, allowHalfOpen: true }, accept)
          : createServer({ allowHalfOpen: true }, accept)
        const options = encrypted ? { tls: { ca: ca.cert } } : {}
        const port = await listening(t, peer)
        const before = await idleSockets(rig)
        // The reset is impossible only for some ticks: kill() in each of them.
        for (let ticks = 0; ticks < 8; ticks++) {
          const witness = await connected(t, driver(), { port, options })
          const socket = await eventually('the server has the connection', () => peers.pop())
          const answering = onceEnded(t, port, () => laterBy(ticks, () => witness.connection.kill()))
          socket.end()
          await answering
          await witness.untilClosed()
          socket.destroy()
        }
        await eventually('no socket is left', async () => (await idleSockets(rig)) <= before)
      })

    test('kill() in each state ends it once, without a cause', async (t) => {
      await using hole = await BlackHole.start()
      const mute = {
        port: await listening(
          t,
          createServer((socket) => socket.on('error', () => 'the reset')),
        ),
      }
      const states: Record<string, () => Promise<Witness>> = {
        'just opened': () => opening(t, rig, server()),
        'waiting for the name': () => opening(t, rig, { port: server().port, host: 'no-such-host.invalid' }),
        'SYN unanswered': () => opening(t, rig, hole, 50),
        'about to connect TLS': () => opening(t, rig, { ...mute, options: { tls: {} } }),
        'in the TLS handshake': () => opening(t, rig, { ...mute, options: { tls: {} } }, 50),
        'open and mute': () => connected(t, driver(), mute),
        'open and idle': () => connected(t, driver(), server()),
        'on a Unix socket': async () => connected(t, driver(), await socketPath(server())),
      }
      for (const [state, reach] of Object.entries(states)) {
        const witness = await reach()
        witness.connection.kill()
        assert.ok(!witness.log.includes('closed'), `${state}: told inside kill()`)
        witness.connection.kill()
        assert.equal(await witness.untilClosed(), undefined, state)
        witness.connection.kill()
        await delay(20)
        assert.equal(witness.log.filter((word) => word === 'closed').length, 1, state)
        assert.ok(!driver().isErrorReply(await rejection(witness.connection.send(['PING'], false))), state)
      }
    })

    test('kill() inside opened() and inside a message', async (t) => {
      const early = new (class extends Witness {
        override opened(): void {
          super.opened()
          this.connection.kill()
        }
      })()
      early.open(t, driver(), server())
      assert.equal(await early.untilClosed(), undefined)
      const late = new (class extends Witness {
        override message(name: string, payload: Buffer, pattern: string | undefined): void {
          super.message(name, payload, pattern)
          this.connection.kill()
        }
      })()
      late.open(t, driver(), server())
      await late.untilOpened()
      await late.connection.subscribe('channel', ['deadly'])
      await server().command('PUBLISH', 'deadly', 'x')
      assert.equal(await late.untilClosed(), undefined)
    })

    test('a hundred connections, ended in all ways, leave no socket and no listener', async (t) => {
      await using hole = await BlackHole.start()
      const mute = {
        port: await listening(
          t,
          createServer((socket) => socket.on('error', () => 'the reset')),
        ),
      }
      const path = await socketPath(server())
      const [sockets, clients] = [await idleSockets(rig), await clientsOf(rig)]
      const witnesses = await Promise.all([
        ...many(30, () => connected(t, driver(), server())),
        ...many(20, () => connected(t, driver(), path)),
        ...many(20, () => opening(t, rig, { ...mute, options: { tls: {} } }, 20)),
        ...many(20, () => opening(t, rig, { port: 1 })),
        ...many(10, () => opening(t, rig, hole)),
      ])
      for (const witness of witnesses) witness.connection.kill()
      await Promise.all(witnesses.map((witness) => witness.untilClosed()))
      await eventually('the server is rid of them', async () => (await clientsOf(rig)) === clients)
      await eventually('the process is rid of them', async () => (await idleSockets(rig)) <= sockets)
    })
  })
}

async function opening(
  t: TestContext,
  { driver }: Rig,
  target: Parameters<Witness['open']>[2],
  afterMs = 0,
): Promise<Witness> {
  const witness = new Witness()
  witness.open(t, driver(), target)
  if (afterMs > 0) await delay(afterMs)
  return witness
}

/** Calls back in the tick in which the client's side of a connection to this port answers a FIN with its own. */
function onceEnded(t: TestContext, port: number, callback: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const end: (this: Socket) => Socket = Socket.prototype.end
  const hooked = t.mock.method(Socket.prototype, 'end', function (this: Socket) {
    const result = end.call(this)
    if (this.remotePort === port) {
      hooked.mock.restore()
      callback()
      resolve()
    }
    return result
  })
  return promise
}

function laterBy(ticks: number, callback: () => void): void {
  if (ticks === 0) callback()
  else process.nextTick(() => laterBy(ticks - 1, callback))
}

function many<T>(count: number, make: () => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, make)
}

/** Client sockets of this process, once the oracle's own connection is there. */
async function idleSockets({ server }: Rig): Promise<number> {
  await server().command('PING')
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCPSocketWrap|PipeWrap|TLSWrap|TCPConnectWrap|PipeConnectWrap)$/.test(name)).length
}

async function clientsOf({ server }: Rig): Promise<number> {
  return String(await server().command('CLIENT', 'LIST'))
    .trim()
    .split('\n').length
}

async function listening(t: TestContext, peer: ReturnType<typeof createServer>): Promise<number> {
  const sockets = new Set<Socket>()
  peer.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  peer.listen(0, '127.0.0.1')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    peer.close()
  })
  await eventually('it listens', () => peer.listening)
  return (peer.address() as AddressInfo).port
}

function countOf(peer: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    peer.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
