/**
 * What a connection attempt needs of the machine: names resolved, masters found, mute servers asked why.
 */
import type { Clock } from '../clock.ts'
import type { Surroundings } from './connector.ts'
import type { Driver } from './driver.ts'
import { greeting } from './greeting.ts'
import { Locator } from './locate.ts'
import { lookup } from './lookup.ts'
import { resolveMaster } from './sentinel.ts'
import { tlsMismatch } from './tls-mismatch.ts'

/** The real network. */
export function systemSurroundings(driver: Driver, clock: Clock): Surroundings {
  const locator = new Locator(lookup)
  return {
    clock,
    resolve: async (endpoint, budgetMs, signal) => {
      const { topology, addresses } = endpoint
      const address =
        topology === 'sentinel' ? await resolveMaster({ driver, endpoint, budgetMs, clock, signal }) : addresses[0]
      return await locator.locate(address)
    },
    worked: (address) => locator.worked(address),
    greeting: (address, endpoint) => greeting(address, endpoint, { clock }),
    tlsMismatch: (address, endpoint) => tlsMismatch(address, endpoint, { clock }),
  }
}
