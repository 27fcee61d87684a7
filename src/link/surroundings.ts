/**
 * What a connection attempt needs of the machine: names resolved, masters found, mute servers asked why.
 */
import type { Clock } from '../clock.ts'
import type { Surroundings } from './connector.ts'
import type { Address, Driver } from './driver.ts'
import type { Endpoint } from './endpoint.ts'

/** The real network. */
export function systemSurroundings(_driver: Driver, clock: Clock): Surroundings {
  return {
    clock,
    resolve: (endpoint: Endpoint): Promise<Address> => Promise.resolve(endpoint.addresses[0]),
    greeting: () => Promise.resolve(undefined),
  }
}
