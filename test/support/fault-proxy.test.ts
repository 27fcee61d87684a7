import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FaultProxy } from './fault-proxy.ts'
import { encodeCommand, RawClient } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

/** A bare socket that remembers what it was told and how it ended. */
class Listener {
  readonly socket: Socket
  heard = ''
  chunks = 0
  /** 'fin', or the code of the error. */
  ended: string | undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' }).setNoDelay(true)
    this.socket.on('data', (bytes: Buffer) => {
      this.heard += bytes.toString()
      this.chunks++
    })
    this.socket.once('end', () => (this.ended = 'fin'))
    this.socket.once('error', (error: NodeJS.ErrnoException) => (this.ended = error.code))
  }

  say(...command: string[]): void {
    this.socket.write(encodeCommand(command))
  }

  async hears(text: string): Promise<void> {
    await eventually(`the client hears ${JSON.stringify(text)}`, () => this.heard === text)
  }

  async ends(how: string): Promise<void> {
    await eventually(`the connection ends by ${how}`, () => this.ended === how)
  }
}

/** Long enough for loopback to deliver what would have been delivered, many times over. */
const QUIET_MS = 100

let server: RedisServer
let proxy: FaultProxy
let live: Listener

before(async () => {
  server = await RedisServer.start()
})
after(() => server.stop())

beforeEach(async () => {
  await server.command('FLUSHALL')
  proxy = await FaultProxy.start(server)
  live = new Listener(proxy.port)
  live.say('PING')
  await live.hears('+PONG\r\n')
  live.heard = ''
})
afterEach(async () => {
  live.socket.destroy()
  await proxy.close()
})

function newcomer(): Listener {
  return new Listener(proxy.port)
}

async function countOfServer(): Promise<number> {
  return Number(await server.command('GET', 'count'))
}

test('pass: traffic goes both ways, ends go both ways, connections are counted', async () => {
  live.say('INCR', 'count')
  await live.hears(':1\r\n')
  const second = newcomer()
  second.say('PING')
  await second.hears('+PONG\r\n')
  assert.deepEqual([proxy.connections, proxy.accepted], [2, 2])
  second.socket.end()
  await eventually('the second connection is gone', () => proxy.connections === 1)
  await eventually('the server has seen the FIN', async () => /connected_clients:2\r/.test(await clientsInfo()))
})

async function clientsInfo(): Promise<string> {
  return String(await server.command('INFO', 'clients'))
}

test('pass: a big value survives a slow reader', async () => {
  const value = 'x'.repeat(8 * 1024 * 1024)
  await server.command('SET', 'big', value)
  live.socket.pause()
  live.say('GET', 'big')
  await delay(QUIET_MS)
  live.socket.resume()
  await live.hears(`$${value.length}\r\n${value}\r\n`)
})

test('pass: a server that is killed resets or closes its clients, and new ones are reset', async () => {
  await using other = await RedisServer.start()
  await using front = await FaultProxy.start(other)
  const witness = new Listener(front.port)
  witness.say('PING')
  await witness.hears('+PONG\r\n')
  await other.kill()
  await eventually('the end arrives', () => witness.ended)
  const late = new Listener(front.port)
  await late.ends('ECONNRESET')
})

test('pause: nothing flows, nothing is lost, newcomers wait too', async () => {
  proxy.set('pause')
  const late = newcomer()
  live.say('INCR', 'count')
  late.say('INCR', 'count')
  await delay(QUIET_MS)
  assert.deepEqual([live.heard, late.heard, await countOfServer()], ['', '', 0])
  proxy.set('pass')
  await eventually('both replies', () => live.heard !== '' && late.heard !== '')
  assert.equal(await countOfServer(), 2)
})

test('pause: TCP holds the sender back', async () => {
  proxy.set('pause')
  live.socket.write(encodeCommand(['SET', 'big', 'x'.repeat(32 * 1024 * 1024)]))
  await delay(QUIET_MS)
  assert.ok(live.socket.writableLength > 0, 'the proxy took all 32 MB')
  proxy.set('pass')
  await live.hears('+OK\r\n')
})

test('drop-replies: the command runs, the reply is gone for good', async () => {
  proxy.set('drop-replies')
  live.say('INCR', 'count')
  await eventually('the command ran', async () => (await countOfServer()) === 1)
  proxy.set('pass')
  live.say('ECHO', 'next')
  await live.hears('$4\r\nnext\r\n')
})

test('drop-all: the command is gone for good, so is the FIN of a killed server', async () => {
  proxy.set('drop-all')
  live.say('INCR', 'count')
  await delay(QUIET_MS)
  await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
  await delay(QUIET_MS)
  assert.deepEqual([live.heard, live.ended, await countOfServer()], ['', undefined, 0])
})

test('silent: accepts, never answers, and what was connected then stays dead', async () => {
  proxy.set('silent')
  const late = newcomer()
  await once(late.socket, 'connect')
  live.say('INCR', 'count')
  late.say('INCR', 'count')
  await delay(QUIET_MS)
  proxy.set('pass')
  live.say('PING')
  late.say('PING')
  await delay(QUIET_MS)
  assert.deepEqual(
    [live.heard, live.ended, late.heard, late.ended, await countOfServer()],
    ['', undefined, '', undefined, 0],
  )
  const healed = newcomer()
  healed.say('PING')
  await healed.hears('+PONG\r\n')
  live.socket.destroy()
  await eventually('a dead connection that its client closes is gone', () => proxy.connections === 2)
})

test('accept-close: FIN for everybody', async () => {
  proxy.set('accept-close')
  await live.ends('fin')
  await newcomer().ends('fin')
})

test('accept-reset: RST for everybody', async () => {
  proxy.set('accept-reset')
  await live.ends('ECONNRESET')
  await newcomer().ends('ECONNRESET')
})

test('refuse: the port is closed and opens again', async () => {
  proxy.set('refuse')
  await live.ends('ECONNRESET')
  await newcomer().ends('ECONNREFUSED')
  proxy.set('pass')
  const client = await RawClient.connect(proxy.port)
  assert.equal(await client.command('PING'), 'PONG')
  client.close()
})

test('garbage: a web server answers and keeps the connection', async () => {
  proxy.set('garbage')
  live.say('INCR', 'count')
  await eventually('an answer', () => live.heard.startsWith('HTTP/1.1 400 Bad Request\r\n'))
  assert.deepEqual([live.ended, await countOfServer()], [undefined, 0])
})

test('reset-before: RST, and the command has not run', async () => {
  proxy.set('reset-before')
  assert.equal(live.ended, undefined)
  live.say('INCR', 'count')
  await live.ends('ECONNRESET')
  await delay(QUIET_MS)
  assert.equal(await countOfServer(), 0)
})

test('reset-after: RST, and the command has run', async () => {
  proxy.set('reset-after')
  live.say('INCR', 'count')
  await live.ends('ECONNRESET')
  assert.equal(await countOfServer(), 1)
  assert.equal(live.heard, '')
})

test('truncate: half a reply, then RST', async () => {
  await server.command('SET', 'greeting', 'half of this')
  proxy.set('truncate')
  live.say('GET', 'greeting')
  await live.ends('ECONNRESET')
  const whole = '$12\r\nhalf of this\r\n'
  assert.equal(live.heard, whole.slice(0, Math.ceil(whole.length / 2)))
})

test('slice: everything arrives, byte by byte', async () => {
  proxy.set('slice')
  live.chunks = 0
  live.say('ECHO', 'one byte at a time')
  await live.hears('$18\r\none byte at a time\r\n')
  assert.ok(live.chunks >= 20, `only ${live.chunks} chunks for 25 bytes`)
})

test('latencyMs: replies are late in order and do not add up', async () => {
  proxy.set({ latencyMs: 200 })
  const startedAt = performance.now()
  for (let n = 0; n < 5; n++) {
    live.say('INCR', 'count')
    await delay(20)
  }
  await live.hears(':1\r\n:2\r\n:3\r\n:4\r\n:5\r\n')
  const tookMs = performance.now() - startedAt
  // The last command leaves at 80 ms; one after the other they would take 1000 ms.
  assert.ok(tookMs >= 270 && tookMs < 900, `${tookMs} ms`)
})

test('bytesPerSecond: a thin line, and the rest flows at once when it is widened', async () => {
  const value = 'x'.repeat(20_000)
  await server.command('SET', 'big', value)
  proxy.set({ bytesPerSecond: 20_000 })
  live.say('GET', 'big')
  await delay(300)
  assert.ok(live.heard.length > 0 && live.heard.length < 12_000, `${live.heard.length} bytes in 300 ms`)
  proxy.set('pass')
  await live.hears(`$${value.length}\r\n${value}\r\n`)
})

test('closeAfterBytes: FIN in the middle of a reply', async () => {
  proxy.set({ closeAfterBytes: 10 })
  live.say('PING')
  await live.hears('+PONG\r\n')
  live.say('PING')
  await live.ends('fin')
  assert.equal(live.heard, '+PONG\r\n+PO')
})

test('resetConnections and finConnections end what is live, newcomers are served', async () => {
  proxy.resetConnections()
  await live.ends('ECONNRESET')
  const second = newcomer()
  second.say('PING')
  await second.hears('+PONG\r\n')
  proxy.finConnections()
  await second.ends('fin')
  const third = newcomer()
  third.say('PING')
  await third.hears('+PONG\r\n')
  third.socket.destroy()
})
