/** What a Redis server is asked, one question per layer. Each throws what failed. */
import { LINK_FAULTS, faultOfReply, type Endpoint, type Reply } from '../../link/index.ts'
import { CHECK_FINDINGS, findingOf, Found } from '../findings.ts'
import type { Seen } from './examination.ts'
import { Refusal, type Conversation } from './redis-conversation.ts'

/** How `CLIENT LIST` shows a check while it runs. */
export const CLIENT_NAME = 'evenkeel-check'
const WRITTEN_FOR_MS = 5000

/** What the server says of itself at the door. */
export interface Introduction {
  readonly version: string | undefined
  readonly role: string | undefined
  readonly mode: string | undefined
}

/** Anything that answers questions: one server, or whichever node of a cluster has the key. */
export type Ask = Conversation['ask']

/** HELLO, because it is answered in every state: loading, busy, full, cut off from the master. */
export async function login(conversation: Conversation, endpoint: Endpoint): Promise<Seen<Introduction>> {
  const { username, password } = endpoint
  const account = password === undefined ? [] : ['AUTH', username ?? 'default', password]
  const detail = password === undefined ? 'without a password' : `as ${username ?? 'default'}`
  try {
    return { value: introductionIn(await conversation.ask('HELLO', '2', ...account, 'SETNAME', CLIENT_NAME)), detail }
  } catch (error) {
    if (!(error instanceof Refusal) || faultOfReply(error.message).reaction !== 'resp2') throw error
  }
  if (password !== undefined) await conversation.ask('AUTH', ...(username === undefined ? [] : [username]), password)
  return { value: { version: undefined, role: undefined, mode: undefined }, detail }
}

/** Master or replica; a replica of which a master was expected fails, any other is worth a word. */
export async function role(
  conversation: Conversation,
  endpoint: Endpoint,
  introduction: Introduction,
): Promise<Seen<undefined>> {
  if (introduction.mode === 'sentinel') throw new Found(CHECK_FINDINGS.sentinel)
  const known = introduction.role === undefined ? await permitted(conversation.ask('ROLE')) : introduction.role
  const name = String(Array.isArray(known) ? known[0] : (known ?? 'not told'))
  if (name !== 'slave' && name !== 'replica') return { value: undefined, detail: name, facts: { role: name } }
  if (endpoint.topology === 'sentinel') throw new Found(findingOf(LINK_FAULTS.readOnlyReplica), 'its role is replica')
  return { value: undefined, ...replica(await permitted(conversation.ask('ROLE'))) }
}

function replica(reply: Reply): Omit<Seen<undefined>, 'value'> {
  const [, host, port, state] = Array.isArray(reply) ? (reply as readonly Reply[]).map(String) : []
  const facts = { role: 'replica' }
  if (state === undefined || state === 'connected')
    return {
      detail: host === undefined ? 'replica' : `replica of ${host}:${port}`,
      facts,
      warning: CHECK_FINDINGS.replica,
    }
  return { detail: `replica of ${host}:${port}, which it does not reach`, facts, warning: CHECK_FINDINGS.cutOff }
}

/** SELECT says OK; where the server tells, the number it is really in is compared too. */
export async function database(ask: Ask, endpoint: Endpoint): Promise<Seen<undefined>> {
  const wanted = endpoint.database
  await ask('SELECT', String(wanted))
  const client = await permitted(ask('CLIENT', 'INFO'))
  const selected = typeof client === 'string' ? /(?:^| )db=(\d+)/.exec(client)?.[1] : undefined
  if (selected !== undefined && Number(selected) !== wanted)
    throw new Found(CHECK_FINDINGS.unsharedDatabase, `selected ${wanted}, is in ${selected}`)
  return { value: undefined, detail: selected === undefined ? `${wanted}, not confirmed` : `${wanted}, confirmed` }
}

export async function ping(ask: Ask): Promise<Seen<boolean>> {
  const answer = await permitted(ask('PING'))
  return { value: answer !== null, detail: answer === null ? 'this user may not PING' : String(answer) }
}

export async function read(ask: Ask, key: string): Promise<Seen<undefined>> {
  await ask('GET', key)
  return { value: undefined, detail: `GET ${key} answered` }
}

/** A write counts when it can be read back. The value goes by itself. */
export async function write(ask: Ask, key: string): Promise<Seen<undefined>> {
  const value = `written by ${CLIENT_NAME}`
  await ask('SET', key, value, 'PX', String(WRITTEN_FOR_MS))
  const found = await ask('GET', key)
  if (found !== value) throw new Found(CHECK_FINDINGS.notReadBack, `GET ${key} after SET: another value`)
  return { value: undefined, detail: `SET ${key} for ${WRITTEN_FOR_MS / 1000} s, read back` }
}

export async function version(ask: Ask, introduction: Introduction): Promise<Seen<undefined>> {
  const info = String(await permitted(ask('INFO', 'server')))
  const [, name = 'redis', told = introduction.version] =
    /^(valkey)_version:(\S+)/m.exec(info) ?? /^(redis)_version:(\S+)/m.exec(info) ?? []
  if (told === undefined) return { value: undefined, detail: 'not told' }
  return { value: undefined, detail: `${name} ${told}`, facts: { server: name, version: told } }
}

/** The answer, or null where this user may not ask, or this server does not know the question. */
async function permitted(answer: Promise<Reply>): Promise<Reply> {
  return await answer.catch((error: unknown) => {
    if (error instanceof Refusal && faultOfReply(error.message).reaction === 'none') return null
    throw error
  })
}

function introductionIn(reply: Reply): Introduction {
  const fields = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  const field = (name: string): string | undefined => {
    const at = fields.indexOf(name)
    return at < 0 ? undefined : String(fields[at + 1])
  }
  return { version: field('version'), role: field('role'), mode: field('mode') }
}
