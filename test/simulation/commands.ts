/** The commands that the simulated Redis knows: what the link itself sends, and what the simulated application sends. */
import { createHash } from 'node:crypto'
import type { Reply } from '../../src/link/driver.ts'
import { writeRefusalOf, type Circumstances } from './conditions.ts'
import { ErrorReply, type SimulatedConnection } from './connection.ts'

/** What commands need of the server. */
export interface Scene extends Circumstances {
  readonly runId: string
  /** Milliseconds since 1970 by its own clock. */
  readonly time: number
  readonly database: number
  readonly data: Map<string, string | number | string[]>
  /** Digests of the scripts it knows. */
  readonly scripts: Set<string>
  connection(id: number): SimulatedConnection | undefined
  publish(channel: string, payload: Buffer): number
  push(key: string, element: string): void
  /** Waits for an element until so many milliseconds have passed. */
  block(connection: SimulatedConnection, key: string, forMs: number): void
  /** A command with side effects has run. */
  executed(key: string): void
}

interface Call {
  readonly scene: Scene
  readonly connection: SimulatedConnection
  readonly args: readonly string[]
}

/** The reply comes later. */
export const PENDING: unique symbol = Symbol('pending')

type Run = (call: Call) => Reply | typeof PENDING

const COMMANDS: Readonly<Record<string, Run>> = {
  HELLO: hello,
  AUTH: (call) => login(call, call.args.at(-1) ?? '') ?? 'OK',
  SELECT: select,
  PING: () => 'PONG',
  TIME: ({ scene }) => timeOf(scene.time),
  INFO: ({ scene }) => `# Server\r\nredis_version:7.0.15\r\nrun_id:${scene.runId}\r\n`,
  ROLE: ({ scene }) => [scene.role, 0, []],
  CLIENT: client,
  GET: ({ args: [, key = ''] }) => (key.startsWith('echo:') ? key.slice(5) : null),
  SET: () => 'OK',
  INCR: increment,
  DEL: ({ scene, args: [, key = ''] }) => (scene.data.delete(key) ? 1 : 0),
  LPUSH: push,
  BLPOP: pop,
  PUBLISH: ({ scene, args: [, channel = '', text = ''] }) => scene.publish(channel, Buffer.from(text)),
  SUBSCRIBE: ({ connection, args }) => added(connection.serverSide.channels, args),
  PSUBSCRIBE: ({ connection, args }) => added(connection.serverSide.patterns, args),
  UNSUBSCRIBE: ({ connection, args }) => removed(connection.serverSide.channels, args),
  PUNSUBSCRIBE: ({ connection, args }) => removed(connection.serverSide.patterns, args),
  EVAL: evaluate,
  EVALSHA: evaluateKnown,
}

export function execute(call: Call): Reply | typeof PENDING {
  return COMMANDS[call.args[0] ?? '']?.(call) ?? null
}

function hello(call: Call): Reply {
  const { args, connection, scene } = call
  if (args[2] === 'AUTH') {
    const refusal = login(call, args[4] ?? '')
    if (refusal !== undefined) return refusal
  } else if (scene.password !== undefined && !connection.serverSide.authenticated)
    return new ErrorReply('NOAUTH HELLO must be called with the client already authenticated')
  const name = args.indexOf('SETNAME')
  if (name > 0) connection.serverSide.name = args[name + 1] ?? ''
  return ['server', 'redis', 'version', '7.0.15', 'proto', Number(args[1]), 'id', connection.id]
}

function login({ scene, connection }: Call, password: string): ErrorReply | undefined {
  if (scene.password !== undefined && password !== scene.password)
    return new ErrorReply('WRONGPASS invalid username-password pair or user is disabled.')
  connection.serverSide.authenticated = true
  return undefined
}

function select({ connection, args }: Call): Reply {
  const database = Number(args[1])
  if (!(database < 16)) return new ErrorReply('ERR DB index is out of range')
  connection.serverSide.database = database
  return 'OK'
}

function client(call: Call): Reply {
  const { scene, connection, args } = call
  const { serverSide } = connection
  switch (args[1]) {
    case 'ID':
      return connection.id
    case 'INFO':
      return `id=${connection.id} name=${serverSide.name} db=${serverSide.database} sub=0`
    case 'SETNAME':
      serverSide.name = args[2] ?? ''
      return 'OK'
    case 'TRACKING':
      return track(call)
    case 'TRACKINGINFO': {
      const { redirect = -1, prefixes = [] } = serverSide.tracking ?? {}
      const broken = redirect > 0 && scene.connection(redirect) === undefined ? ['broken_redirect'] : []
      const flags = serverSide.tracking === undefined ? ['off'] : ['on', 'bcast', 'noloop', ...broken]
      return ['flags', flags, 'redirect', redirect, 'prefixes', prefixes]
    }
    case 'KILL': {
      const victim = scene.connection(Number(args[3]))
      victim?.cutByServer(undefined)
      return victim === undefined ? 0 : 1
    }
    default:
      return new ErrorReply(`ERR unknown subcommand '${args[1]}'. Try CLIENT HELP.`)
  }
}

/** Only as the link asks for it: `ON REDIRECT <id> BCAST NOLOOP PREFIX …` or `OFF`. */
function track({ scene, connection, args }: Call): Reply {
  const { serverSide } = connection
  if (args[2] === 'OFF') {
    serverSide.tracking = undefined
    return 'OK'
  }
  const redirect = Number(args[4])
  if (scene.connection(redirect) === undefined)
    return new ErrorReply('ERR The client ID you want redirect to does not exist')
  const prefixes = args.filter((_, index) => args[index - 1] === 'PREFIX')
  serverSide.tracking = { redirect, prefixes: [...(serverSide.tracking?.prefixes ?? []), ...prefixes] }
  return 'OK'
}

function timeOf(milliseconds: number): Reply {
  const micros = Math.floor(milliseconds * 1000)
  return [String(Math.floor(micros / 1e6)), String(micros % 1e6)]
}

/** The unique operation: its key names it, and the count tells its fate. */
function increment({ scene, connection, args: [, key = ''] }: Call): Reply {
  scene.executed(connection.serverSide.database === scene.database ? key : 'wrong-database')
  const before = scene.data.get(key)
  const after = typeof before === 'number' ? before + 1 : 1
  scene.data.set(key, after)
  return after
}

function push({ scene, args: [, key = '', element = ''] }: Call): Reply {
  scene.push(key, element)
  return 1
}

function pop({ scene, connection, args: [, key = '', seconds] }: Call): Reply | typeof PENDING {
  const list = scene.data.get(key)
  const element = Array.isArray(list) ? list.shift() : undefined
  if (element === undefined) {
    scene.block(connection, key, Number(seconds) * 1000)
    return PENDING
  }
  scene.executed(key)
  return [key, element]
}

function added(names: Set<string>, args: readonly string[]): Reply {
  for (const name of args.slice(1)) names.add(name)
  return null
}

function removed(names: Set<string>, args: readonly string[]): Reply {
  for (const name of args.slice(1)) names.delete(name)
  return null
}

function evaluate(call: Call): Reply | typeof PENDING {
  const digest = digestOf(call.args[1] ?? '')
  call.scene.scripts.add(digest)
  return fenced(call, digest)
}

function evaluateKnown(call: Call): Reply | typeof PENDING {
  const digest = call.args[1] ?? ''
  if (!call.scene.scripts.has(digest)) return new ErrorReply('NOSCRIPT No matching script. Please use EVAL.')
  return fenced(call, digest)
}

/** The only script there is: the fence. ARGV[1] is the deadline by the server's clock, the rest the command. */
function fenced({ scene, connection, args }: Call, digest: string): Reply | typeof PENDING {
  const [deadline, ...command] = args.slice(3 + Number(args[2]))
  if (scene.time > Number(deadline))
    return new ErrorReply('LATE the deadline of this command had passed when the server reached it')
  const refusal = writeRefusalOf(scene, command[0] ?? '')
  if (refusal !== undefined) return new ErrorReply(`${refusal} script: ${digest}, on @user_script:5.`)
  return execute({ scene, connection, args: command })
}

const digests = new Map<string, string>()

/** SHA-1 of a script, as EVALSHA names it. */
function digestOf(script: string): string {
  const digest = digests.get(script) ?? createHash('sha1').update(script).digest('hex')
  digests.set(script, digest)
  return digest
}
