/** A Redis on the host: which of its addresses does a container reach? */
import { OptionError } from '../../../errors.ts'
import type { Host } from '../../host.ts'
import { ConfTree } from '../redis-conf/conf-tree.ts'
import { isEverywhere, isLoopback, plainAddress } from '../redis-host/host-facts.ts'
import { redisUrl, type Reach } from './reach.ts'

export interface HostReachOptions {
  /** @default '/' */
  readonly root?: string | undefined
  /** redis.conf of the host. @default '/etc/redis/redis.conf' */
  readonly conf?: string | undefined
  readonly app: 'container' | 'host'
  /** The gateway of the network that the application is in. */
  readonly gateway?: string | undefined
  /** @default what the configuration says */
  readonly password?: string | undefined
}

/** Of the default bridge, docker0: what `host-gateway` stands for unless the daemon is told otherwise. */
const DOCKER0 = '172.17.0.1'
const DEFAULT_CONF = '/etc/redis/redis.conf'
const DEFAULT_PORT = 6379

/** @throws OptionError when no address fits, or several do */
export async function reachHost(host: Host, options: HostReachOptions): Promise<Reach> {
  const { root = '/', conf: path = DEFAULT_CONF, app } = options
  const conf = await ConfTree.read(host, root, path)
  if (conf === undefined) throw new OptionError('--conf', `Expected --conf to name a redis.conf, got '${path}'.`)
  const bind = conf.words('bind') ?? ['*']
  const port = Number(conf.words('port')?.[0] ?? DEFAULT_PORT)
  const way = app === 'host' ? LOCAL : wayFor(bind, options.gateway)
  const redis = { name: 'REDIS_URL', database: 0, url: redisUrl(way.host, port), why: way.why }
  const password = options.password ?? conf.words('requirepass')?.[0] ?? ''
  return { choice: way.why, password, redis, variables: [redis], notes: way.notes }
}

interface Way {
  readonly host: string
  readonly why: string
  readonly notes: readonly string[]
}

const LOCAL: Way = { host: '127.0.0.1', why: 'The application runs on the host itself.', notes: [] }

const GATEWAY: Way = {
  host: 'host.docker.internal',
  why: `host-gateway is ${DOCKER0}, and Redis listens there.`,
  notes: [
    'On Linux the name exists only with this line at the service:\n  extra_hosts: ["host.docker.internal:host-gateway"]',
  ],
}

function wayFor(bind: readonly string[], gateway: string | undefined): Way {
  const foreign = bind.filter((word) => !isLoopback(word) && !isEverywhere(word)).map(plainAddress)
  const everywhere = bind.some(isEverywhere)
  if (gateway !== undefined && !everywhere && !foreign.includes(gateway))
    throw new OptionError(
      '--gateway',
      `Redis does not bind ${gateway}: it binds ${bind.join(' ')}. Add it with evenkeel setup redis-host --address ${gateway}.`,
    )
  if (gateway !== undefined) return named(gateway)
  if (everywhere || foreign.includes(DOCKER0)) return GATEWAY
  const [only, ...others] = foreign
  if (only === undefined)
    throw new OptionError(
      '--app',
      'Redis listens on localhost alone, where no container reaches it. Add the address of a bridge with evenkeel setup redis-host --address.',
    )
  if (others.length > 0)
    throw new OptionError(
      '--gateway',
      `Redis binds ${foreign.join(', ')}: which one is the gateway of the application's network? Say it with --gateway; docker network inspect names it.`,
    )
  return named(only)
}

/** The address under a name of its own: a .env stays right when the address changes. */
function named(address: string): Way {
  return {
    host: 'redis.host',
    why: `Redis listens at ${address}. host.docker.internal would be ${DOCKER0}, where it does not.`,
    notes: [`The name exists with this line at the service:\n  extra_hosts: ["redis.host:${address}"]`],
  }
}
