/**
 * `npm run bench:cache [-- scenario … contender …]`: the cache beside the caches people use, with Redis well, away and back.
 * `npm run bench:cache -- frozen bento` plays one scenario with everybody whose name contains the word.
 */
import { ADAPTERS } from './cache/contenders.ts'
import { boot, frozen, killed } from './cache/scenarios/away.ts'
import { coherence } from './cache/scenarios/coherence.ts'
import { globDelete } from './cache/scenarios/glob-delete.ts'
import { invalidation } from './cache/scenarios/invalidation.ts'
import { memoryHit } from './cache/scenarios/memory-hit.ts'
import { memory } from './cache/scenarios/memory.ts'
import { redisHit } from './cache/scenarios/redis-hit.ts'
import { stale } from './cache/scenarios/stale.ts'
import { stampede } from './cache/scenarios/stampede.ts'
import { zombie } from './cache/scenarios/zombie.ts'

const SCENARIOS = [
  memoryHit,
  redisHit,
  stampede,
  frozen,
  killed,
  boot,
  stale,
  memory,
  invalidation,
  coherence,
  zombie,
  globDelete,
]

const words = process.argv.slice(2)
const scenarios = SCENARIOS.filter(({ name }) => words.includes(name))
const names = words.filter((word) => !SCENARIOS.some(({ name }) => name === word))
const adapters = ADAPTERS.filter(({ name }) => names.length === 0 || names.some((word) => name.includes(word)))
if (adapters.length === 0) {
  const known = [...SCENARIOS, ...ADAPTERS].map(({ name }) => name).join(', ')
  console.error(`No scenario and no contender is called ${names.join(', ')}; known: ${known}.`)
  process.exit(2)
}

for (const scenario of scenarios.length === 0 ? SCENARIOS : scenarios) {
  console.log(`\n${scenario.title}\n`)
  await scenario.play(adapters.filter((adapter) => scenario.takes(adapter)))
}
// Workers and servers go with this process.
process.exit(0)
