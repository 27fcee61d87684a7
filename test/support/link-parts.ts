/** The parts of a link on a fake clock and a fake driver, for unit tests of its core. */
import { Connector, type ConnectorOptions, type Outcome, type Surroundings } from '../../src/link/connector.ts'
import { newCounters, type Counters } from '../../src/link/counters.ts'
import { readEndpoint, type RedisOptions } from '../../src/link/endpoint.ts'
import { AttemptGate } from '../../src/link/gate.ts'
import type { LaneOptions } from '../../src/link/lane.ts'
import { readSettings, type LinkSettings, type LinkTuning } from '../../src/link/settings.ts'
import { SingleLink, type SingleLinkOptions } from '../../src/link/single-link.ts'
import type { Wire } from '../../src/link/wire.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeDriver } from './fake-driver.ts'

export interface PartsOptions {
  readonly tuning?: LinkTuning
  readonly redis?: RedisOptions
  readonly surroundings?: Partial<Surroundings>
}

export interface LinkParts extends LaneOptions {
  readonly clock: FakeClock
  readonly driver: FakeDriver
  readonly settings: LinkSettings
  readonly counters: Counters
  readonly connectorOptions: ConnectorOptions
}

/** Chance always says 0.5, the host is an address, and nobody greets. */
export function linkParts({
  tuning = {},
  redis = { host: '10.0.0.1' },
  surroundings = {},
}: PartsOptions = {}): LinkParts {
  const clock = new FakeClock()
  const driver = new FakeDriver()
  const settings = readSettings(tuning)
  const counters = newCounters()
  const endpoint = readEndpoint(redis)
  const gate = new AttemptGate<Outcome>((outcome) => outcome.kind === 'failed' && outcome.fault.reaction === 'down')
  const connectorOptions: ConnectorOptions = {
    driver,
    endpoint,
    settings,
    counters,
    surroundings: {
      clock,
      resolve: () => Promise.resolve(endpoint.addresses),
      worked: () => undefined,
      greeting: () => Promise.resolve(undefined),
      tlsMismatch: () => Promise.resolve(undefined),
      ...surroundings,
    },
  }
  return {
    clock,
    driver,
    settings,
    counters,
    random: () => 0.5,
    connector: new Connector(connectorOptions),
    connectorOptions,
    enterGate: (attempt) => gate.enter('redis', attempt),
  }
}

/** A link of these parts, not started yet; every failed attempt holds up the next one. */
export function singleLink(
  { connectorOptions, random }: LinkParts,
  options: Partial<Pick<SingleLinkOptions, 'isolated' | 'watch'>> = {},
): SingleLink {
  const { endpoint, settings, driver, surroundings } = connectorOptions
  const gate = new AttemptGate<Outcome>((outcome) => outcome.kind === 'failed')
  return new SingleLink({
    name: 'test',
    endpoint,
    driver,
    settings,
    surroundings,
    random,
    gate,
    isolated: undefined,
    ...options,
  })
}

/** A wire that has gone through the handshake. */
export async function connectedWire(parts: LinkParts): Promise<Wire> {
  const silent = (): void => undefined
  const { outcome } = parts.connector.attempt({
    opened: silent,
    ended: silent,
    errorReply: silent,
    replied: silent,
    message: silent,
    invalidated: silent,
  })
  await parts.clock.advance(0)
  const connected = await outcome
  if (connected.kind !== 'connected') throw new Error('The fake server did not let us in')
  return connected.wire
}
