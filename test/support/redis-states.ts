/**
 * Brings a real server into the states in which it answers with errors, and back.
 */

import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { RawError } from './raw-client.ts'
import type { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

export interface State {
  /** Undoes it, once; what the server held before is still there, unless the function says otherwise. */
  restore(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

function state(undo: () => Promise<void>): State {
  let undone: Promise<void> | undefined
  const restore = (): Promise<void> => (undone ??= undo())
  return { restore, [Symbol.asyncDispose]: restore }
}

/** OOM: commands that may need memory are refused; reads, DEL and PUBLISH work. */
export function outOfMemory(server: RedisServer): Promise<State> {
  return withSettings(server, { maxmemory: '1', 'maxmemory-policy': 'noeviction' })
}

/** NOREPLICAS: writes are refused because no replica is there to take them. */
export function noReplicas(server: RedisServer): Promise<State> {
  return withSettings(server, { 'min-replicas-to-write': '1' })
}

/** NOAUTH for new connections, WRONGPASS for other passwords; those that are open stay what they are. */
export function passwordRequired(server: RedisServer, password: string): Promise<State> {
  return withSettings(server, { requirepass: password })
}

/** "ERR max number of clients reached" for every new connection; those that are open stay. */
export function tooManyClients(server: RedisServer): Promise<State> {
  return withSettings(server, { maxclients: '1' })
}

/** Subscribers that do not read what is published are cut off once that much waits for them. */
export function slowSubscribersCut(server: RedisServer, maxBytes: number): Promise<State> {
  return withSettings(server, { 'client-output-buffer-limit': `pubsub ${maxBytes} 0 0` })
}

/** READONLY: a replica, as after a failover. Its master does not exist, so it keeps its data. */
export async function readOnly(server: RedisServer): Promise<State> {
  await expectOk(server, 'REPLICAOF', '127.0.0.1', 1)
  return state(() => expectOk(server, 'REPLICAOF', 'NO', 'ONE'))
}

/** MASTERDOWN: a replica that lost its master and does not serve stale data. PING fails too. */
export async function masterDown(server: RedisServer): Promise<State> {
  const strict = await withSettings(server, { 'replica-serve-stale-data': 'no' })
  const replica = await readOnly(server)
  return state(async () => {
    await replica.restore()
    await strict.restore()
  })
}

/** NOPERM: a user who may do what the rules say, such as `['~cache:*', '+@all', '-del']`. */
export async function restrictedUser(
  server: RedisServer,
  user: { name: string; password: string; rules: readonly string[] },
): Promise<State> {
  await expectOk(server, 'ACL', 'SETUSER', user.name, 'on', `>${user.password}`, ...user.rules)
  return state(async () => void (await server.command('ACL', 'DELUSER', user.name)))
}

/** DENIED: protected mode, on the address of this machine that is returned; loopback is served as before. */
export async function protectedMode(server: RedisServer): Promise<State & { readonly host: string }> {
  const host = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  if (host === undefined)
    throw new Error('Protected mode shows on a non-loopback IPv4 address, and this machine has none')
  const bound = await withSettings(server, { 'protected-mode': 'yes', bind: `${server.host} ${host}` })
  return { ...bound, host }
}

/**
 * MISCONF after a failed snapshot: writes and PING are refused, reads work. A directory sits where the snapshot belongs,
 * which stops root too and, unlike a data directory that is gone, can be undone in a running server.
 */
export async function snapshotFails(server: RedisServer): Promise<State> {
  const file = join(server.directory, 'dump.rdb')
  const aside = `${file}.aside`
  if (existsSync(file)) renameSync(file, aside)
  mkdirSync(file)
  const settings = await withSettings(server, { save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' })
  await snapshot(server, 'err')
  return state(async () => {
    rmSync(file, { recursive: true })
    await snapshot(server, 'ok')
    await settings.restore()
    rmSync(file)
    if (existsSync(aside)) renameSync(aside, file)
  })
}

async function snapshot(server: RedisServer, outcome: 'ok' | 'err'): Promise<void> {
  await server.command('BGSAVE')
  await eventually(`a snapshot that ends with ${outcome}`, async () => {
    const info = String(await server.command('INFO', 'persistence'))
    return info.includes('rdb_bgsave_in_progress:0') && info.includes(`rdb_last_bgsave_status:${outcome}`)
  })
}

/**
 * MISCONF because the disk is full under the append-only file, which begins on `/dev/full`: every write to it fails with
 * ENOSPC. For servers that run without one.
 */
export async function appendOnlyDiskFull(server: RedisServer): Promise<State> {
  const directory = join(server.directory, 'appendonlydir')
  mkdirSync(directory)
  symlinkSync('/dev/full', join(directory, 'temp-appendonly.aof.incr'))
  const settings = await withSettings(server, { appendonly: 'yes', appendfsync: 'everysec' })
  await eventually('the append-only file cannot be written', async () => {
    return String(await server.command('SET', 'disk-full-probe', 'x', 'PX', 1)).startsWith('-MISCONF')
  })
  return state(async () => {
    await settings.restore()
    rmSync(directory, { recursive: true })
  })
}

/**
 * BUSY: a script that never ends; PING and INFO are refused too. After a write nobody can kill it (UNKILLABLE) and
 * `restore()` restarts the server, which then is empty.
 */
export async function busyScript(server: RedisServer, options: { afterWrite?: boolean } = {}): Promise<State> {
  const settings = await withSettings(server, { 'lua-time-limit': '10' })
  const client = await server.connectLocally()
  const write = options.afterWrite ? "redis.call('SET', KEYS[1], 'written')" : ''
  const ended = client.command('EVAL', `${write} while true do end`, 1, 'busy-script').catch((error: Error) => error)
  await eventually('the server is busy', async () => String(await server.command('PING')).startsWith('-BUSY'))
  return state(async () => {
    if (options.afterWrite) await server.restart()
    else await server.command('SCRIPT', 'KILL')
    await ended
    client.close()
    await settings.restore()
  })
}

const FILLER_DATABASE = 15
const FILLER_BYTES = 1024
const LOAD_DELAY_MS = 5

/**
 * LOADING: restarts the server with all its data, which takes it that long unless restored before. Ballast in database
 * 15 makes it so; the server looks up from loading after each piece of it.
 */
export async function loading(server: RedisServer, options: { forMs?: number } = {}): Promise<State> {
  const file = join(server.directory, 'dump.rdb')
  const hadSnapshot = existsSync(file)
  const pieces = Math.ceil((options.forMs ?? 60_000) / LOAD_DELAY_MS)
  const fill = "redis.call('SELECT', ARGV[1]) for i = 1, ARGV[2] do redis.call('SET', i, string.rep('x', ARGV[3])) end"
  await server.command('EVAL', fill, 0, FILLER_DATABASE, pieces, FILLER_BYTES)
  await server.command('CONFIG', 'SET', 'rdbcompression', 'no')
  await expectOk(server, 'SAVE')
  const slowly = ['--key-load-delay', String(LOAD_DELAY_MS * 1000), '--loading-process-events-interval-bytes', '1024']
  await server.restart({ args: slowly })
  return state(async () => {
    await expectOk(server, 'CONFIG', 'SET', 'key-load-delay', '0')
    await eventually('the data is loaded', async () => (await server.command('PING')) === 'PONG')
    await server.command('EVAL', "redis.call('SELECT', ARGV[1]) redis.call('FLUSHDB')", 0, FILLER_DATABASE)
    if (!hadSnapshot) rmSync(file)
  })
}

/** Changes settings of a running server; restores what they were. */
export async function withSettings(server: RedisServer, changes: Readonly<Record<string, string>>): Promise<State> {
  const before: [string, string][] = []
  for (const [name, value] of Object.entries(changes)) {
    const reply = await server.command('CONFIG', 'GET', name)
    before.unshift([name, Array.isArray(reply) ? String(reply[1]) : ''])
    await expectOk(server, 'CONFIG', 'SET', name, value)
  }
  return state(async () => {
    for (const [name, value] of before) await expectOk(server, 'CONFIG', 'SET', name, value)
  })
}

async function expectOk(server: RedisServer, ...command: (string | number)[]): Promise<void> {
  const reply = await server.command(...command)
  if (reply instanceof RawError) throw new Error(`${command.join(' ')}: ${reply.message}`)
}
