/**
 * What a connection attempt needs of the machine: names resolved, masters found, mute servers asked why.
 */
import type { Clock } from '../clock.ts'
import type { Surroundings } from './connector.ts'
import type { Driver } from './driver.ts'
import { greeting } from './greeting.ts'
import { Locator } from './locate.ts'
import { lookup } from './lookup.ts'
import type { Master } from './sentinel-watch.ts'
import { resolveMaster } from './sentinel.ts'
import { tlsMismatch } from './tls-mismatch.ts'

/** The real network. A master that the sentinels have announced goes before their vote. */
export function systemSurroundings(driver: Driver, clock: Clock, master: Master): Surroundings {
  const locator = new Locator(lookup)
  return {
    clock,
    resolve: async (endpoint, budgetMs, signal) => {
      const { topology, addresses } = endpoint
      if (topology !== 'sentinel') return await locator.locate(addresses[0])
      const vote = { driver, endpoint, budgetMs, clock, signal }
      return await locator.locate(master.announced ?? (await resolveMaster(vote)))
    },
    worked: (address) => {
      locator.worked(address)
      master.inUse = address
    },
    greeting: (address, endpoint) => greeting(address, endpoint, { clock }),
    tlsMismatch: (address, endpoint) => tlsMismatch(address, endpoint, { clock }),
  }
}
