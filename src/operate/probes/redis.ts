/** Can we be served by this Redis now? Every layer in turn; `PING` alone would prove little. */
import { randomUUID } from 'node:crypto'
import {
  nodeRedis,
  resolveMaster,
  showAddress,
  type Address,
  type ConnectionPhase,
  type Endpoint,
} from '../../link/index.ts'
import { networkFinding } from '../findings.ts'
import type { Examination, Explain, Seen } from './examination.ts'
import { reach } from './network.ts'
import { ClusterNodes } from './redis-cluster.ts'
import { Conversation } from './redis-conversation.ts'
import { redisFinding } from './redis-findings.ts'
import { database, login, ping, read, role, version, write, type Ask, type Introduction } from './redis-layers.ts'
import { roundTrip } from './round-trip.ts'

export interface ProbeOptions {
  /** Write and read back too. */
  readonly write: boolean
  /** Round trips to measure; 0 for none. */
  readonly probes: number
  /** What the key that is read and written begins with. */
  readonly keyPrefix: string
}

/** A conversation that is let in, and what is needed to ask on. */
interface Inside {
  readonly endpoint: Endpoint
  readonly introduction: Introduction
  readonly explain: Explain
  readonly ask: Ask
}

export async function probeRedis(endpoint: Endpoint, options: ProbeOptions, examination: Examination): Promise<void> {
  const [address = endpoint.addresses[0]] = await reach(examination, await whereabouts(endpoint, examination))
  const explain = (phase: ConnectionPhase): Explain => redisFinding({ endpoint, address, phase })
  const conversation = new Conversation(address, endpoint.tls, examination.remainingMs)
  const nodes = new ClusterNodes(conversation, endpoint, examination)
  try {
    if (endpoint.tls !== undefined)
      await examination.look('tls', () => encrypted(conversation, endpoint), explain('tls'))
    const introduction = await examination.look('login', () => login(conversation, endpoint), explain('handshake'))
    const ask: Ask = endpoint.topology === 'cluster' ? nodes.ask : (...args) => conversation.ask(...args)
    const inside = { endpoint, introduction, explain: explain('established'), ask }
    await examination.look('role', () => role(conversation, endpoint, introduction), inside.explain)
    if (endpoint.topology === 'cluster') await examination.look('cluster', () => nodes.survey(), inside.explain)
    await probeInside(inside, options, examination)
  } finally {
    nodes.close()
  }
}

/** Of a cluster every seed will do; of sentinels, what they name. */
async function whereabouts(endpoint: Endpoint, examination: Examination): Promise<readonly Address[]> {
  if (endpoint.topology !== 'sentinel') return endpoint.addresses
  const step = async (): Promise<Seen<Address>> => {
    const { clock, remainingMs: budgetMs } = examination
    const value = await resolveMaster({ driver: nodeRedis(), endpoint, budgetMs, clock })
    return { value, detail: `the master '${endpoint.master}' is ${showAddress(value)}` }
  }
  const explain = networkFinding('resolve', endpoint.tls !== undefined)
  return [await examination.look('sentinels', step, explain)]
}

async function encrypted(conversation: Conversation, { tls }: Endpoint): Promise<Seen<undefined>> {
  await conversation.opened
  const detail = tls?.rejectUnauthorized === false ? 'encrypted, certificate not looked at' : 'certificate accepted'
  return { value: undefined, detail }
}

/** What an application would ask. */
async function probeInside(inside: Inside, options: ProbeOptions, examination: Examination): Promise<void> {
  const { ask, endpoint, introduction, explain } = inside
  // Its own, because several checks may run at the same time.
  const key = `${options.keyPrefix}${randomUUID().slice(0, 8)}`
  if (endpoint.database !== 0) await examination.look('database', () => database(ask, endpoint), explain)
  const mayPing = await examination.look('ping', () => ping(ask), explain)
  await examination.look('read', () => read(ask, key), explain)
  if (options.write) await examination.look('write', () => write(ask, key), explain)
  await examination.look('version', () => version(ask, introduction), explain)
  if (options.probes === 0) return
  const small = mayPing ? () => ask('PING') : () => ask('GET', key)
  await examination.look('round-trip', () => roundTrip(examination, options.probes, small), explain)
}
