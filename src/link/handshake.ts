/**
 * What must pass before a connection is trusted: who we are, which database, who answers, and does it serve.
 *
 *   authenticate   HELLO 3 AUTH … (RESP2 where refused) ─▶ SELECT
 *   inspect        TIME · INFO · CLIENT ID, CLIENT INFO · PING · PING     pipelined: one round trip
 *
 * Every error reply means something (`faults.ts`); those that say "not now" leave the connection open to be asked again.
 */
import type { Clock } from '../clock.ts'
import { ReplyError } from '../errors.ts'
import type { Argument, Reply } from './driver.ts'
import type { Endpoint } from './endpoint.ts'
import { faultOfReply, LINK_FAULTS, reasonOf, type Fault } from './faults.ts'
import type { Reason } from '../errors.ts'
import type { ServerIdentity } from './redis-link.ts'
import type { Wire } from './wire.ts'

/** Refused by a fault in the middle of the handshake. */
export class HandshakeRefusal extends Error {
  readonly fault: Fault
  readonly reason: Reason

  constructor(fault: Fault, detail: string) {
    super(detail)
    this.fault = fault
    this.reason = reasonOf(fault, detail)
  }
}

/** What `inspect` learned. */
export interface Inspection {
  readonly server: ServerIdentity
  /** Server clock minus our monotonic clock, in milliseconds: the lowest value that is surely not too high. */
  readonly clockOffsetMs: number | undefined
  /** Why writes are refused although the rest works. */
  readonly blocked: { readonly fault: Fault; readonly reason: Reason } | undefined
}

/** A connection that has passed the handshake, and who answers on it. */
export interface Identified {
  readonly wire: Wire
  readonly server: ServerIdentity
}

export interface HandshakeContext {
  readonly wire: Wire
  readonly endpoint: Endpoint
  readonly clock: Clock
  readonly protocols: readonly (2 | 3)[]
  /** Deadline of each command; the budget of the whole is kept by the caller. */
  readonly deadlineMs: number
}

/** Says who we are and selects the database; throws HandshakeRefusal. */
export async function authenticate(context: HandshakeContext): Promise<void> {
  const refusal = await hello(context)
  if (refusal !== undefined) await authWithoutHello(context)
  const { database } = context.endpoint
  if (database !== 0) await demand(context, ['SELECT', String(database)])
}

/** HELLO in the order of the driver's protocols; returns the refusal when the server knows no HELLO at all. */
async function hello(context: HandshakeContext): Promise<HandshakeRefusal | undefined> {
  const { username, password, clientName } = context.endpoint
  const login = password === undefined ? [] : ['AUTH', username ?? 'default', password]
  const name = clientName === undefined ? [] : ['SETNAME', clientName]
  let refusal: HandshakeRefusal | undefined
  for (const protocol of context.protocols) {
    try {
      await demand(context, ['HELLO', String(protocol), ...login, ...name])
      return undefined
    } catch (error) {
      if (!(error instanceof HandshakeRefusal) || error.fault.reaction !== 'resp2') throw error
      refusal = error
    }
  }
  return refusal
}

/** The way of servers and proxies that know no HELLO. */
async function authWithoutHello(context: HandshakeContext): Promise<void> {
  const { username, password, clientName } = context.endpoint
  if (password !== undefined)
    await demand(context, username === undefined ? ['AUTH', password] : ['AUTH', username, password])
  if (clientName !== undefined) await ask(context, ['CLIENT', 'SETNAME', clientName])
}

/** Asks who answers and whether it serves; throws HandshakeRefusal when it does not. */
export async function inspect(context: HandshakeContext): Promise<Inspection> {
  const { wire, endpoint } = context
  const [clockOffsetMs, info, role, id, own, ...pings] = await Promise.all([
    timed(context),
    ask(context, ['INFO', 'server']),
    ask(context, ['ROLE']),
    ask(context, ['CLIENT', 'ID']),
    endpoint.database === 0 ? undefined : ask(context, ['CLIENT', 'INFO']),
    ask(context, ['PING']),
    ask(context, ['PING']),
  ])
  verifyDatabase(endpoint.database, own)
  const server = identityOf({ wire, info, role, id })
  const replica =
    server.role === 'replica' ? new HandshakeRefusal(LINK_FAULTS.readOnlyReplica, 'its role is replica') : undefined
  // Before all else: one that asks for patience, because it has lost its master, may never find it again.
  if (replica !== undefined && endpoint.topology === 'sentinel') throw replica
  const refusals = [info, role, id, own, ...pings].flatMap((reply) => refusalOf(reply) ?? [])
  const [blocked] = refusals
  for (const refusal of refusals) if (refusal.fault.reaction !== 'write-blocked') throw refusal
  return { server, clockOffsetMs, blocked: blocked ?? replica }
}

/** Measures the server's clock against ours; undefined where TIME is not permitted, HandshakeRefusal while it is not served. */
export async function timed(
  context: Pick<HandshakeContext, 'wire' | 'clock' | 'deadlineMs'>,
): Promise<number | undefined> {
  const reply = await context.wire.request(['TIME'], context.deadlineMs).catch(onlyReplies)
  const refusal = refusalOf(reply)
  if (refusal !== undefined) throw refusal
  if (!Array.isArray(reply)) return undefined
  const [seconds, micros] = reply as readonly Reply[]
  return Number(seconds) * 1000 + Number(micros) / 1000 - context.clock.now()
}

/** A command that must succeed. */
async function demand(context: HandshakeContext, args: readonly Argument[]): Promise<Reply> {
  const reply = await ask(context, args)
  const refusal = refusalOf(reply)
  if (refusal !== undefined) throw refusal
  if (reply instanceof ReplyError) throw new HandshakeRefusal(faultOfReply(reply.message), reply.message)
  return reply
}

/** A command whose error reply is an answer too. */
function ask(context: HandshakeContext, args: readonly Argument[]): Promise<Reply> {
  return context.wire.request(args, context.deadlineMs).catch(onlyReplies)
}

function onlyReplies(error: unknown): Reply {
  if (error instanceof ReplyError) return error
  throw error
}

/** The refusal that an error reply is, unless it concerns that command only. */
function refusalOf(reply: Reply | undefined): HandshakeRefusal | undefined {
  if (!(reply instanceof ReplyError)) return undefined
  const fault = faultOfReply(reply.message)
  return fault.reaction === 'none' || fault.reaction === 'identity'
    ? undefined
    : new HandshakeRefusal(fault, reply.message)
}

/** SELECT said OK; where the server tells, the number it really selected is compared too. */
function verifyDatabase(wanted: number, clientInfo: Reply | undefined): void {
  if (typeof clientInfo !== 'string') return
  const selected = /(?:^| )db=(\d+)/.exec(clientInfo)?.[1]
  if (selected !== undefined && Number(selected) !== wanted)
    throw new HandshakeRefusal(LINK_FAULTS.wrongDatabase, `selected ${selected} instead of ${wanted}`)
}

function identityOf(found: { wire: Wire; info: Reply; role: Reply; id: Reply }): ServerIdentity {
  const info = typeof found.info === 'string' ? found.info : ''
  const role = Array.isArray(found.role) ? String(found.role[0]) : undefined
  const { address } = found.wire
  return {
    runId: /^run_id:(\S+)/m.exec(info)?.[1],
    version: /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1],
    role: role === 'master' ? 'master' : role === 'slave' || role === 'replica' ? 'replica' : undefined,
    clientId: typeof found.id === 'number' ? found.id : undefined,
    address: address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path,
    startedAt: startIn(info),
  }
}

/** Both were read off the server's clock at one moment, and the uptime is a difference of whole seconds. */
function startIn(info: string): number | undefined {
  const micros = /^server_time_usec:(\d+)/m.exec(info)?.[1]
  const uptime = /^uptime_in_seconds:(\d+)/m.exec(info)?.[1]
  if (micros === undefined || uptime === undefined) return undefined
  return (Math.floor(Number(micros) / 1_000_000) - Number(uptime)) * 1000
}
