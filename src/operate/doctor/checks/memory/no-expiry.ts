/** Do keys pile up that nothing will ever take away? */
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { shapeOf } from '../../evidence/keys.ts'
import { purposeOf } from '../../evidence/purposes.ts'
import type { DatabaseSample, Purpose, SampledKey } from '../../evidence/server-values.ts'
import { some } from '../words.ts'

/** Data of these kinds is meant to go by itself. */
const PASSING: readonly Purpose[] = ['cache', 'sessions', 'limits', 'results']
const FEW = 20

export const noExpiry: DoctorCheck<'keys', 'trend'> = {
  id: 'memory.no-expiry',
  layer: 'memory',
  title: 'keys without a time to live',
  why: 'What never expires only grows: memory fills up slowly, and the day it is full looks like an outage out of nothing.',
  severity: 'warn',
  needs: ['keys'],
  wants: ['trend'],
  judge: ({ keys: { databases }, trend }) => {
    const sampled = databases.flatMap(({ sampled }) => sampled)
    if (sampled.length === 0) return nothingToJudge('There are no keys.')
    const lasting = sampled.filter(({ ttlMs }) => ttlMs === undefined)
    const wrong = lasting.filter(({ name }) => PASSING.includes(purposeOf(name) ?? 'queue'))
    const evidence = [...databases.map(databaseText), ...some(familiesOf(wrong.length > 0 ? wrong : lasting))]
    const growing = trend === undefined ? 0 : keyCount(trend.after) - keyCount(trend.before)
    if (growing > 0) evidence.push(`${growing} more keys within ${trend?.seconds.toFixed(0)} s`)
    const fix = {
      text: 'Give them a time to live where they are written (SET … EX, EXPIRE). What is there already can be found by SCAN and given one.',
      commands: ["redis-cli --scan --pattern '<prefix>*' | xargs -I{} redis-cli EXPIRE {} 86400 NX"],
    }
    if (wrong.length > FEW)
      return [{ state: 'warn', summary: 'Keys that should go by themselves have no time to live.', evidence, fix }]
    return ok('Nothing that should go by itself stays for ever.', evidence)
  },
}

function databaseText({ database, keys, expires }: DatabaseSample): string {
  return `db${database}: ${keys} keys, ${expires} with a time to live`
}

/** `300 × sess:*`, the most frequent first. */
function familiesOf(keys: readonly SampledKey[]): readonly string[] {
  const groups = Map.groupBy(keys, ({ name }) => shapeOf(name))
  const counted = [...groups].map(([shape, members]) => [shape, members.length] as const)
  return counted
    .toSorted((one, other) => other[1] - one[1])
    .map(([shape, count]) => `${count} × ${shape} without one in the sample`)
}

function keyCount(info: ReadonlyMap<string, string>): number {
  const counts = [...info]
    .filter(([name]) => /^db\d+$/.test(name))
    .map(([, text]) => Number(/keys=(\d+)/.exec(text)?.[1]))
  return counts.reduce((sum, count) => sum + count, 0)
}
