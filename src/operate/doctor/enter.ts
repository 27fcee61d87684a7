/** Comes in to one server of an endpoint to ask questions, or finds out why not. */
import type { Clock } from '../../clock.ts'
import { describeError, nodeRedis, resolveMaster, type Address, type Endpoint } from '../../link/index.ts'
import { Conversation } from '../probes/redis-conversation.ts'
import { login } from '../probes/redis-layers.ts'
import { serverOver, unreachable, type Server } from './server.ts'

export interface Entered {
  /** Every question waits until it is clear whether we are let in. */
  readonly server: Server
  close(): void
}

export interface EnterOptions {
  readonly clock: Clock
  /** On the clock: by then it is clear. */
  readonly until: number
}

/** The server itself; of sentinels the master that they name, of a cluster the first node that lets us in. Never throws. */
export function enterServer(endpoint: Endpoint, options: EnterOptions): Entered {
  const conversations: Conversation[] = []
  const entering = enter(endpoint, options, conversations)
  return {
    server: { ask: async (...args) => await (await entering).ask(...args) },
    close: () => {
      for (const conversation of conversations) conversation.close()
    },
  }
}

async function enter(endpoint: Endpoint, { clock, until }: EnterOptions, opened: Conversation[]): Promise<Server> {
  const reasons: string[] = []
  const remainingMs = (): number => Math.max(1, until - clock.now())
  try {
    for (const address of await addressesOf(endpoint, clock, remainingMs())) {
      const conversation = new Conversation(address, endpoint.tls, remainingMs())
      opened.push(conversation)
      const refusal = await inTime(login(conversation, endpoint), clock, remainingMs())
      if (refusal === undefined) return serverOver((...args) => conversation.ask(...args))
      reasons.push(refusal)
    }
  } catch (error) {
    reasons.push(describeError(error))
  }
  return unreachable(reasons.join('; '))
}

async function addressesOf(endpoint: Endpoint, clock: Clock, budgetMs: number): Promise<readonly Address[]> {
  if (endpoint.topology !== 'sentinel') return endpoint.addresses
  return [await resolveMaster({ driver: nodeRedis(), endpoint, budgetMs, clock })]
}

/** Undefined when it went well, else why not. */
async function inTime(step: Promise<unknown>, clock: Clock, ms: number): Promise<string | undefined> {
  const late = Promise.withResolvers<string>()
  const timer = clock.setTimer(() => clock.afterIo(() => late.resolve(`no answer within ${Math.round(ms)} ms`)), ms)
  try {
    return await Promise.race([step.then(() => undefined), late.promise])
  } catch (error) {
    return describeError(error)
  } finally {
    clock.clearTimer(timer)
  }
}
