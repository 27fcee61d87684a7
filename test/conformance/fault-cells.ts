/**
 * Places that cannot be connected to, each for one reason, and the code of the fault that it must be.
 */
import { execFile } from 'node:child_process'
import dns from 'node:dns'
import { writeFileSync } from 'node:fs'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { mock, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { BlackHole } from '../support/black-hole.ts'
import { certificates } from '../support/certificates.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer, type RedisServerOptions } from '../support/redis-server.ts'
import { eventually, freePort } from '../support/wait.ts'
import type { Target } from './witness.ts'

/** `server` is a healthy one that all tests share. */
export interface Cell {
  readonly code: string
  readonly target: (t: TestContext, server: RedisServer) => Target | Promise<Target>
}

export type Cells = Readonly<Record<string, Cell>>

export const NETWORK_CELLS: Cells = {
  'nobody listens': { code: 'refused', target: async () => ({ port: await freePort() }) },
  'nobody listens on either address of a name': {
    code: 'refused',
    target: async (t) => {
      resolveTo(t, ['::1', '127.0.0.1'])
      return { host: 'two-addresses.test', port: await freePort() }
    },
  },
  'no route to one address, nobody listens on the other': {
    code: 'refused',
    target: async (t) => {
      resolveTo(t, [UNROUTED, '127.0.0.1'])
      return { host: 'two-addresses.test', port: await freePort() }
    },
  },
  'no route': { code: 'network-unreachable', target: () => ({ host: UNROUTED, port: 6379 }) },
  'the resolver says that there is no such name': {
    code: 'name-not-found',
    target: (t) => {
      resolveTo(t, Object.assign(new Error('getaddrinfo ENOTFOUND gone.test'), { code: 'ENOTFOUND' }))
      return { host: 'gone.test', port: 6379 }
    },
  },
  'the resolver does not answer': {
    code: 'resolver-down',
    target: (t) => {
      resolveTo(t, Object.assign(new Error('getaddrinfo EAI_AGAIN redis.test'), { code: 'EAI_AGAIN' }))
      return { host: 'redis.test', port: 6379 }
    },
  },
  'SYNs that nobody answers': {
    code: 'connect-timeout',
    target: async (t) => ({ port: (await blackHole(t)).port, options: { connectTimeoutMs: 200 } }),
  },
  'SYNs that nobody answers, with TLS': {
    code: 'connect-timeout',
    target: async (t) => ({ port: (await blackHole(t)).port, options: { tls: {}, connectTimeoutMs: 200 } }),
  },
  'no socket file': { code: 'socket-missing', target: (_, { directory }) => ({ path: join(directory, 'none.sock') }) },
  'a socket file that a killed server left': {
    code: 'socket-refused',
    target: async (_, { directory }) => {
      const path = join(directory, `left-${Date.now()}.sock`)
      const diesOnIt = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
      await promisify(execFile)(process.execPath, ['-e', diesOnIt, path]).catch(() => 'killed')
      return { path }
    },
  },
  'a path that is no socket': {
    code: 'socket-refused',
    target: (_, { directory }) => {
      const path = join(directory, 'file')
      writeFileSync(path, '')
      return { path }
    },
  },
  'a proxy that hangs up': { code: 'closed-at-start', target: (t, server) => proxied(t, server, 'accept-close') },
  'a proxy that resets': { code: 'closed-at-start', target: (t, server) => proxied(t, server, 'accept-reset') },
  'a web server': { code: 'not-redis', target: (t, server) => proxied(t, server, 'garbage') },
  'an SSH server': {
    code: 'not-redis',
    target: async (t) => ({ port: await stranger(t, (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')) }),
  },
  'a PostgreSQL server': {
    code: 'not-redis',
    target: async (t) => ({ port: await answering(t, 'E\0\0\0\u0020SFATAL\0VFATAL\0') }),
  },
}

export const TLS_CELLS: Cells = {
  'an authority that nobody knows': { code: 'tls-unknown-ca', target: secured('server', { trusted: false }) },
  'a self-signed certificate': { code: 'tls-unknown-ca', target: secured('selfSigned') },
  'a certificate for another host': { code: 'tls-wrong-host', target: secured('otherHost') },
  'a certificate that has run out': { code: 'tls-expired', target: secured('expired') },
  'no client certificate, TLS 1.2': {
    code: 'tls-handshake-refused',
    target: secured('server', { wantsClients: true, args: ['--tls-protocols', 'TLSv1.2'] }),
  },
  'a client certificate of an unknown authority, TLS 1.2': {
    code: 'tls-client-certificate-refused',
    target: secured('server', {
      wantsClients: true,
      client: 'strangerClient',
      args: ['--tls-protocols', 'TLSv1.2'],
    }),
  },
  'a server that speaks TLS 1.1 only': { code: 'tls-no-common-version', target: outdated },
  'a certificate and key that are none': {
    code: 'tls-own-material',
    target: (_, { port }) => ({ port, options: { tls: { cert: 'none', key: 'none' } } }),
  },
  'a key that does not belong to the certificate': {
    code: 'tls-own-material',
    target: async (_, { port }) => {
      const { client, otherHost } = await certificates()
      return { port, options: { tls: { cert: client.cert, key: otherHost.key } } }
    },
  },
  'TLS to a plain Redis port': {
    code: 'tls-timeout',
    target: (_, { port }) => ({ port, options: { tls: {}, connectTimeoutMs: 300 } }),
  },
  'TLS to a web server': {
    code: 'tls-to-plain-port',
    target: async (t) => ({ port: await answering(t, 'HTTP/1.1 400 Bad Request\r\n\r\n'), options: { tls: {} } }),
  },
  'TLS to a proxy that hangs up': {
    code: 'tls-closed',
    target: async (t, server) => ({ ...(await proxied(t, server, 'accept-close')), options: { tls: {} } }),
  },
  'plain to the TLS port of a Redis, which just cuts it': {
    code: 'closed-at-start',
    target: async (t, server) => ({ ...(await secured('server')(t, server)), options: {} }),
  },
  'plain to a port that answers with a TLS alert': {
    code: 'plain-to-tls-port',
    target: async (t) => ({ port: await answering(t, Buffer.from('15030300020246', 'hex')) }),
  },
}

/** The broadcast address: no TCP goes there. */
const UNROUTED = '255.255.255.255'

/** A server of its own for one test. */
export async function started(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  t.after(() => server.stop())
  return server
}

/** A proxy in front of a server, for one test. */
export async function proxyTo(t: TestContext, server: RedisServer): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(server)
  t.after(() => proxy.close())
  return proxy
}

export interface SecuredOptions {
  readonly args?: readonly string[]
  /** Does the client know the authority? @default true */
  readonly trusted?: boolean
  /** What the client shows. @default nothing */
  readonly client?: 'client' | 'strangerClient'
  /** Does the server ask for a certificate of the client? @default false */
  readonly wantsClients?: boolean
}

/** A Redis whose port speaks TLS with that certificate. */
export function secured(
  name: 'server' | 'otherHost' | 'expired' | 'selfSigned',
  { args = [], trusted = true, client, wantsClients = false }: SecuredOptions = {},
): Cell['target'] {
  return async (t) => {
    const pems = await certificates()
    const tls = { certificate: pems[name], ca: pems.ca, clientsNeedCertificate: wantsClients }
    const { port } = await started(t, { tls, args })
    const shown = client === undefined ? {} : { cert: pems[client].cert, key: pems[client].key }
    return { port, options: { tls: { ...(trusted ? { ca: pems.ca.cert } : {}), ...shown } } }
  }
}

async function outdated(t: TestContext): Promise<Target> {
  const { server, ca } = await certificates()
  const versions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
  const listener = createTlsServer({ cert: server.cert, key: server.key, ...versions })
  listener.on('tlsClientError', () => 'what is wanted')
  listener.listen(0, '127.0.0.1')
  t.after(() => listener.close())
  await eventually('it listens', () => listener.listening)
  return { port: portOf(listener), options: { tls: { ca: ca.cert } } }
}

async function proxied(
  t: TestContext,
  server: RedisServer,
  fault: 'accept-close' | 'accept-reset' | 'garbage',
): Promise<{ port: number }> {
  const proxy = await proxyTo(t, server)
  proxy.set(fault)
  return { port: proxy.port }
}

async function blackHole(t: TestContext): Promise<BlackHole> {
  const hole = await BlackHole.start()
  t.after(() => hole.close())
  return hole
}

/** Answers whatever it is told with these words. */
function answering(t: TestContext, words: string | Buffer): Promise<number> {
  return stranger(t, (socket) => socket.once('data', () => socket.end(words)))
}

/** Something on a port that is no Redis. */
async function stranger(t: TestContext, greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const listener = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => 'the client went first')
    greet(socket)
  }).listen(0, '127.0.0.1')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  await eventually('it listens', () => listener.listening)
  return portOf(listener)
}

function portOf(listener: { address(): AddressInfo | string | null }): number {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen on a port')
  return address.port
}

/** Makes every name resolve to that, until the end of the test. */
function resolveTo(t: TestContext, answer: Error | readonly string[]): void {
  type Callback = (error: Error | null, addresses?: readonly object[]) => void
  const lookup = mock.method(dns, 'lookup', (_host: string, _options: unknown, callback: Callback) => {
    if (answer instanceof Error) callback(answer)
    else
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  })
  t.after(() => lookup.mock.restore())
}
