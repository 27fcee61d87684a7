/** What happens to the name of a healthy server. */
import { FaultProxy } from '../../../support/fault-proxy.ts'
import { RedisServer } from '../../../support/redis-server.ts'
import type { Cell, Stage } from '../cell.ts'
import { Name, type Illness } from '../names.ts'
import { direct } from '../stages.ts'

/** Nothing answers there; the whole of 127/8 is this machine on Linux. */
const DEAD_ADDRESS = '127.77.77.77'

export const NAME_CELLS: readonly Cell[] = [
  {
    name: 'no such name, at boot',
    stage: named('missing'),
    phase: 'boot',
    faultMs: 1000,
    repetitions: 1,
    // A wrong name is not mended in a second: the next attempt comes after 5 s.
    expect: { reason: ['name-not-found'], returnMs: 5500, upPeriods: 1 },
  },
  {
    name: 'name server away, at boot',
    stage: named('away'),
    phase: 'boot',
    faultMs: 2000,
    repetitions: 1,
    expect: { reason: ['resolver-down'], upPeriods: 1 },
  },
  {
    name: 'name server away, then RST',
    stage: named('away'),
    faultMs: 1500,
    expect: { degradedMs: 20, detectedAs: ['reset'], reason: ['resolver-down'], gaps: [1, 1] },
  },
  {
    name: 'name gone, then RST',
    stage: named('missing'),
    faultMs: 1500,
    expect: { degradedMs: 20, detectedAs: ['reset'], reason: ['name-not-found'], gaps: [1, 1] },
  },
  {
    name: 'name server mute, then RST',
    stage: named('mute'),
    faultMs: 2500,
    repetitions: 1,
    // Questions about two names that nobody answers hold up all others of the process.
    alone: true,
    expect: { degradedMs: 20, detectedAs: ['reset'], reason: ['resolver-down'], gaps: [1, 1] },
  },
  {
    name: 'one of two addresses dead, then RST',
    stage: named(undefined, [DEAD_ADDRESS, '127.0.0.1']),
    faultMs: 0,
    expect: { degradedMs: 20, detectedAs: ['reset'], reason: ['reset', 'connected', 'refused'], gaps: [1, 1] },
  },
  {
    name: 'a name that this machine cannot resolve',
    stage: direct({ begin: () => undefined, redis: () => ({ host: 'nobody.invalid' }) }),
    phase: 'boot',
    faultMs: 2000,
    repetitions: 1,
    // What it says depends on the machine's resolver.
    expect: { reason: ['name-not-found', 'resolver-down'], stays: true, upPeriods: 0 },
  },
]

/** The name falls ill, and the connections that know the address already are cut. */
function named(illness: Illness | undefined, addresses: readonly string[] = ['127.0.0.1']): () => Promise<Stage> {
  return async () => {
    const server = await RedisServer.start()
    const proxy = await FaultProxy.start(server)
    const name = new Name(addresses)
    return {
      redis: { host: name.host, port: proxy.port },
      server,
      begin: () => {
        if (illness !== undefined) name.fallIll(illness)
        proxy.resetConnections()
      },
      heal: () => name.recover(),
      [Symbol.asyncDispose]: async () => {
        name[Symbol.dispose]()
        await proxy.close()
        await server.stop()
      },
    }
  }
}
