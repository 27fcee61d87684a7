/**
 * Makes a link out of options: the one place where endpoint, driver, settings and the machine come together.
 */
import { systemClock } from '../clock.ts'
import { OptionError } from '../errors.ts'
import { knownOptions } from '../options.ts'
import type { Driver } from './driver.ts'
import { nodeRedis } from './drivers/node-redis.ts'
import { ClusterLink } from './cluster/cluster-link.ts'
import { REDIS_OPTION_NAMES, readEndpoint, showAddress, type Endpoint, type RedisOptions } from './endpoint.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import { AttemptGate } from './gate.ts'
import type { Outcome } from './connector.ts'
import type { RedisLink } from './redis-link.ts'
import { Master, SentinelWatch } from './sentinel-watch.ts'
import { readSettings, TUNING_NAMES, type LinkSettings, type LinkTuning } from './settings.ts'
import { SingleLink } from './single-link.ts'
import { systemSurroundings } from './surroundings.ts'

/** Where Redis is, how long to wait for it, and which client library speaks to it. */
export interface LinkOptions extends RedisOptions, LinkTuning {
  /** Name in logs, metrics and `CLIENT LIST`. @default 'evenkeel' */
  readonly name?: string
  /** Client library: `nodeRedis()` or `ioredis(Redis)`; a client that is handed in brings its address along. @default nodeRedis() */
  readonly driver?: Driver
  /** Work without Redis: nothing is ever sent until `rejoin()`. @default false */
  readonly memoryMode?: boolean
}

/** A failed attempt tells the others of this process that the server is away; anything else is their own business. */
const processGate = new AttemptGate<Outcome>(
  (outcome) => outcome.kind === 'failed' && outcome.fault.reaction === 'down',
)

/**
 * A supervised connection to Redis. Nothing connects before `start()`.
 * @throws OptionError that names the option which cannot work
 */
export function createLink(options: LinkOptions | string = {}): RedisLink {
  const given: LinkOptions = typeof options === 'string' ? { url: options } : options
  knownOptions('the link', given, ['name', 'driver', 'memoryMode', ...REDIS_OPTION_NAMES, ...TUNING_NAMES])
  const { name = 'evenkeel', driver = nodeRedis(), memoryMode = false } = given
  if (!/^[!-~]+$/.test(name))
    throw new OptionError('name', `Expected 'name' to be ASCII without spaces, got '${name}'.`)
  const endpoint = readEndpoint(placeOf(given), driver.endpoint)
  return linkTo(
    { ...endpoint, clientName: endpoint.clientName ?? name },
    { name, driver, memoryMode, settings: readSettings(given), nowhere: memoryMode && !saysWhere(given) },
  )
}

interface LinkParts {
  readonly name: string
  readonly driver: Driver
  readonly memoryMode: boolean
  readonly settings: LinkSettings
  readonly nowhere: boolean
}

function linkTo(endpoint: Endpoint, { name, driver, memoryMode, settings, nowhere }: LinkParts): RedisLink {
  const isolated = memoryMode ? reasonOf(LINK_FAULTS.memoryMode) : undefined
  const master = new Master(systemClock)
  const common = {
    driver,
    random: Math.random,
    surroundings: systemSurroundings(driver, systemClock, master),
    gate: processGate,
  }
  const single = { ...common, name, endpoint, settings, isolated, nowhere }
  if (endpoint.topology === 'sentinel')
    return new SingleLink({ ...single, watch: (moved) => new SentinelWatch({ ...single, master, moved }) })
  if (endpoint.topology === 'single') return new SingleLink(single)
  return new ClusterLink({
    ...common,
    name,
    endpoint,
    settings,
    clock: systemClock,
    isolated,
    makeNodeLink: (address, probeKey) =>
      new SingleLink({
        ...common,
        name: `${name}@${showAddress(address)}`,
        endpoint: { ...endpoint, addresses: [address] },
        settings: withProbeKey(settings, probeKey),
        isolated: undefined,
      }),
  })
}

function saysWhere({ url, host, port, path, sentinel, cluster, driver }: LinkOptions): boolean {
  return [url, host, port, path, sentinel, cluster, driver?.endpoint?.address].some((place) => place !== undefined)
}

/** Slots move, so the key that asks a node whether it takes writes is looked for each time. */
function withProbeKey(settings: LinkSettings, probeKey: () => string | undefined): LinkSettings {
  return {
    ...settings,
    get probeKey() {
      return probeKey() ?? settings.probeKey
    },
  }
}

/** The part of the options that says where Redis is. */
function placeOf(options: LinkOptions): RedisOptions {
  const place: Record<string, unknown> = {}
  for (const name of REDIS_OPTION_NAMES) if (options[name] !== undefined) place[name] = options[name]
  return place
}
