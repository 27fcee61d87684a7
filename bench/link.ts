/**
 * `npm run bench:link [-- throughput | outages | herd]`: the link beside bare clients and the circuit breakers people put
 * around them, in one process run.
 */
import { cockatielIoredis, cockatielNodeRedis, opossumIoredis, opossumNodeRedis } from './link/adapters/breakers.ts'
import { linkFenced, linkIoredis, linkNodeRedis } from './link/adapters/evenkeel.ts'
import { ioredisDefault, ioredisPipelining } from './link/adapters/ioredis.ts'
import { nodeRedisBare, nodeRedisDefault } from './link/adapters/node-redis.ts'
import { impatientIoredis, patientIoredis } from './link/adapters/recipes.ts'
import { herd } from './link/herd.ts'
import { outages } from './link/outages.ts'
import { throughput } from './link/throughput.ts'

const ADAPTERS = [
  nodeRedisBare,
  nodeRedisDefault,
  ioredisDefault,
  ioredisPipelining,
  patientIoredis,
  impatientIoredis,
  opossumNodeRedis,
  opossumIoredis,
  cockatielNodeRedis,
  cockatielIoredis,
  linkNodeRedis,
  linkIoredis,
  linkFenced,
]

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  throughput: () =>
    throughput(
      ADAPTERS.filter((adapter) => adapter.healthy),
      nodeRedisBare.name,
    ),
  outages: () => outages(ADAPTERS.filter((adapter) => adapter.outage)),
  herd,
}

const wanted = process.argv.slice(2)
for (const name of wanted.length === 0 ? Object.keys(PARTS) : wanted) {
  const part = PARTS[name]
  if (part === undefined) {
    console.error(`Unknown part '${name}'; known: ${Object.keys(PARTS).join(', ')}.`)
    process.exit(2)
  }
  await part()
}
