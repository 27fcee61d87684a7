/**
 * Does the server speak TLS where we do not, or the reverse? By the failure alone that cannot be told from a sick server:
 * plain text to a TLS port is answered by a reset, TLS to a plain port by silence. So one bare socket asks the other way.
 */
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { type Clock, systemClock } from '../clock.ts'
import type { Address } from './driver.ts'
import type { Endpoint } from './endpoint.ts'
import { LINK_FAULTS, type Fault } from './faults.ts'

export interface MismatchOptions {
  /** @default 300 */
  readonly budgetMs?: number
  /** @default the system's */
  readonly clock?: Clock
}

/** How Redis answers an inline PING, served or not. */
const REDIS_ANSWER = /^(\+PONG|-[A-Z]+ )/

/**
 * The fault, when the server answers only to the way of speaking that is not configured. Undefined when it does not, or
 * says nothing within the budget. Never rejects, and the socket is gone when it settles.
 */
export async function tlsMismatch(
  address: Address,
  endpoint: Pick<Endpoint, 'tls'>,
  { budgetMs = 300, clock = systemClock }: MismatchOptions = {},
): Promise<Fault | undefined> {
  const within = { budgetMs, clock }
  if (endpoint.tls === undefined) return (await answersTls(address, within)) ? LINK_FAULTS.plainToTlsPort : undefined
  return (await answersPlain(address, within)) ? LINK_FAULTS.tlsToPlainPort : undefined
}

/** A TLS server completes the handshake; whose certificate it is does not matter here, nothing is sent. */
function answersTls(address: Address, within: Required<MismatchOptions>): Promise<boolean> {
  const socket = connectTls({ ...targetOf(address), rejectUnauthorized: false })
  return outcome(socket, within, (answer) => socket.once('secureConnect', () => answer(true)))
}

/** Without a password, so that no secret goes over an unencrypted line: -NOAUTH is an answer too. */
function answersPlain(address: Address, within: Required<MismatchOptions>): Promise<boolean> {
  const socket = connectTcp(targetOf(address))
  return outcome(socket, within, (answer) => {
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => answer(REDIS_ANSWER.test(data.toString('latin1'))))
  })
}

function outcome(
  socket: Duplex,
  { budgetMs, clock }: Required<MismatchOptions>,
  listen: (answer: (yes: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (yes: boolean): void => {
      clock.clearTimer(budget)
      socket.destroy()
      resolve(yes)
    }
    const no = (): void => answer(false)
    const budget = clock.setTimer(no, budgetMs)
    listen(answer)
    socket.on('error', no).on('end', no).on('close', no)
  })
}

function targetOf(address: Address): { host: string; port: number } | { path: string } {
  return address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
}
