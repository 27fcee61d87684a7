/** Are there single keys so large that touching them holds up everybody? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { shapeOf } from '../../evidence/keys.ts'
import type { SampledKey } from '../../evidence/server-values.ts'
import { bytesText, some } from '../words.ts'

/** RedisInsight's thresholds for a word about it; from 10 MiB on a single read or DEL is felt by everybody. */
const STRING_BYTES = 100 * 1024
const LENGTHS: Readonly<Record<string, number>> = { hash: 5000, set: 1000, zset: 1000, list: 1000, stream: 10_000 }
const HUGE_BYTES = 10 * 1024 ** 2

export const bigKeys: PlainCheck<'keys'> = {
  id: 'memory.big-keys',
  layer: 'memory',
  title: 'large keys in a sample',
  why: 'Redis does one thing at a time: while a value of many megabytes is read, written or deleted, every other client waits.',
  severity: 'warn',
  needs: ['keys'],
  judge: ({ keys: { databases } }) => {
    const sampled = databases.flatMap(({ database, sampled }) => sampled.map((key) => ({ ...key, database })))
    if (sampled.length === 0) return nothingToJudge('There are no keys.')
    const big = sampled.filter(isBig).toSorted((one, other) => other.bytes - one.bytes)
    const evidence = [`${sampled.length} keys sampled`, ...some(big.map(keyText))]
    if (big.length === 0) return ok('None in the sample.', evidence)
    const huge = big.some(({ bytes }) => bytes > HUGE_BYTES)
    return [
      {
        state: huge ? 'warn' : 'info',
        summary: huge ? 'There are huge keys.' : 'There are large keys.',
        evidence,
        fix: {
          text: 'Find all of them, cut them into parts, read parts of them (HSCAN, GETRANGE), and delete with UNLINK instead of DEL.',
          commands: ['redis-cli --memkeys', 'redis-cli --bigkeys'],
        },
      },
    ]
  },
}

function isBig({ type, bytes, length = 0 }: SampledKey): boolean {
  if (bytes > HUGE_BYTES) return true
  return type === 'string' ? bytes > STRING_BYTES : length > (LENGTHS[type] ?? Infinity)
}

function keyText({ name, type, bytes, length, database }: SampledKey & { database: number }): string {
  const members = length === undefined ? '' : `, ${length} members`
  return `db${database} ${shapeOf(name)}: ${type}, ${bytesText(bytes)}${members}`
}
