/**
 * Switching server-assisted invalidation on: what is said to the server, and what makes sure that it does as it says.
 *
 *     command connection   CLIENT TRACKING ON REDIRECT <lane's id> BCAST NOLOOP PREFIX … · CLIENT TRACKINGINFO
 *     tracking lane        PING                                                          all at once: one round trip
 *
 * OK alone proves little: a proxy that shares its connections among clients says it too, of a connection that others use.
 * The server must know this very connection as one that redirects these prefixes to that very lane.
 */
import { ReplyError } from '../errors.ts'
import type { Argument, Reply } from './driver.ts'
import { faultOfReply } from './faults.ts'
import type { Wire } from './wire.ts'

export interface SwitchOptions {
  /** The connection whose own writes are not to come back. */
  readonly commands: Wire
  /** The connection that hears, and its id on the server. */
  readonly lane: Wire
  readonly laneId: number
  /** Prefixes to track on top of those that are; may be none. */
  readonly prefixes: readonly string[]
  /** Forget first what this connection tracked before. */
  readonly anew: boolean
  readonly deadlineMs: number
}

/** The lane's id leads nowhere on the server that was asked. */
export class LaneUnknown extends Error {}

/**
 * Resolves with undefined when tracking is on, with the server's words when it does not permit it. Rejects with LaneUnknown,
 * or with a LinkError when the answers did not come or mean "not now".
 */
export async function switchOn(options: SwitchOptions): Promise<string | undefined> {
  const { commands, lane, deadlineMs } = options
  const ask = (args: readonly Argument[]): Promise<Reply> => commands.request(args, deadlineMs)
  try {
    const [info] = await Promise.all([
      Promise.all([
        ...(options.anew ? [ask(['CLIENT', 'TRACKING', 'OFF'])] : []),
        ...(options.prefixes.length > 0 ? [ask(onCommand(options))] : []),
        ask(['CLIENT', 'TRACKINGINFO']),
      ]),
      lane.request(['PING'], deadlineMs),
    ])
    return contradictionIn(info.at(-1), options)
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
    if (/redirect to does not exist/i.test(error.message)) throw new LaneUnknown(error.message)
    if (faultOfReply(error.message).reaction !== 'none') throw error
    return error.message
  }
}

/** Without a PREFIX it would be every key there is. */
function onCommand({ laneId, prefixes }: SwitchOptions): readonly string[] {
  const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix])
  return ['CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(laneId), 'BCAST', 'NOLOOP', ...scope]
}

/** What the server says of the connection, where that is not what was asked for. */
function contradictionIn(reply: Reply | undefined, { laneId, prefixes }: SwitchOptions): string | undefined {
  const fields = fieldsOf(reply)
  const flags = textsIn(fields.get('flags'))
  if (flags.includes('broken_redirect')) throw new LaneUnknown('the redirection is broken')
  const tracked = textsIn(fields.get('prefixes'))
  const asked =
    ['on', 'bcast', 'noloop'].every((flag) => flags.includes(flag)) &&
    Number(fields.get('redirect')) === laneId &&
    prefixes.every((prefix) => tracked.includes(prefix))
  return asked ? undefined : `CLIENT TRACKINGINFO says of this connection: ${shown(reply)}`
}

/** A flat list of names and values, on RESP3 too. */
function fieldsOf(reply: Reply | undefined): ReadonlyMap<string, Reply> {
  const fields = new Map<string, Reply>()
  const list = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  for (let index = 0; index + 1 < list.length; index += 2) fields.set(String(list[index]), list[index + 1] ?? null)
  return fields
}

function textsIn(reply: Reply | undefined): readonly string[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(String) : []
}

function shown(reply: Reply | undefined): string {
  return (JSON.stringify(reply) ?? 'nothing').slice(0, 200)
}
