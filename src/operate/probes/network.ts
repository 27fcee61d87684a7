/** The two layers below every protocol: the name, and a TCP connection to each of its addresses. */
import { connect, isIP, type Socket } from 'node:net'
import { atHost, describeError, lookup, showAddress, type Address } from '../../link/index.ts'
import { networkFinding } from '../findings.ts'
import type { Examination, Explain, Seen } from './examination.ts'

/** A name often has an address that leads nowhere; once one has answered the others get this long. */
const STRAGGLERS_MS = 200

/**
 * Every address of the names, then those that take a connection; at least one. Both are looked at as layers.
 * Of several places (the seeds of a cluster) one that can be reached is enough. `explain` has the words of the protocol.
 */
export async function reach(
  examination: Examination,
  places: readonly Address[],
  explain: (phase: 'resolve' | 'connect') => Explain = networkFinding,
): Promise<readonly Address[]> {
  const named = places.some((place) => place.kind === 'tcp' && isIP(place.host) === 0)
  const all = named ? await examination.look('name', () => resolve(places), explain('resolve')) : places
  return await examination.look('tcp', () => connectEach(all, examination), explain('connect'))
}

async function resolve(places: readonly Address[]): Promise<Seen<readonly Address[]>> {
  const outcomes = await Promise.allSettled(places.map((place) => addressesOf(place)))
  const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []))
  const failures = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (found.length === 0) throw allFailed(failures)
  const words = [...found.map((address) => showAddress(address)), ...failures.map((failure) => describeError(failure))]
  return { value: found, detail: words.join(', ') }
}

async function addressesOf(place: Address): Promise<readonly Address[]> {
  if (place.kind === 'socket') return [place]
  const hosts = await lookup(place.host)
  return hosts.map((host) => atHost(place, host))
}

interface Attempt {
  readonly address: Address
  readonly failure: Error | undefined
}

async function connectEach(all: readonly Address[], examination: Examination): Promise<Seen<readonly Address[]>> {
  const attempts = await attemptEach(all, examination)
  const open = attempts.filter(({ failure }) => failure === undefined).map(({ address }) => address)
  const failures = attempts.flatMap(({ failure }) => failure ?? [])
  if (open.length === 0) throw allFailed(failures)
  const closed = failures.map(({ message }) => `, ${message}`).join('')
  return { value: open, detail: `${open.map((address) => showAddress(address)).join(', ')}${closed}` }
}

/** All at once. Nobody waits for a silent address when another one has answered. */
async function attemptEach(all: readonly Address[], examination: Examination): Promise<readonly Attempt[]> {
  const { clock, remainingMs } = examination
  const sockets: Socket[] = []
  const giveUp = (): void => sockets.forEach((socket) => socket.destroy(timedOut()))
  // A little earlier than the layer itself gives up, which knows nothing of addresses.
  const timers = [clock.setTimer(giveUp, remainingMs * 0.95)]
  const attempts = all.map(async (address): Promise<Attempt> => {
    const failure = await attempt(address, (socket) => sockets.push(socket))
    if (failure === undefined) timers.push(clock.setTimer(giveUp, STRAGGLERS_MS))
    return { address, failure }
  })
  try {
    return await Promise.all(attempts)
  } finally {
    for (const timer of timers) clock.clearTimer(timer)
  }
}

/** Resolves with the failure, or with undefined once connected; the connection is closed again. */
function attempt(address: Address, opened: (socket: Socket) => void): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket =
      address.kind === 'tcp' ? connect({ host: address.host, port: address.port }) : connect({ path: address.path })
    opened(socket)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.on('error', (error) => resolve(at(error, address)))
  })
}

function allFailed(failures: readonly unknown[]): AggregateError {
  return new AggregateError(failures, '')
}

function timedOut(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' })
}

/** Our own time-out does not say where. */
function at(error: Error, address: Address): Error {
  if (error.message === 'connect ETIMEDOUT') error.message += ` ${showAddress(address)}`
  return error
}
