/** What the Redis log tells since the last start. */
import type { Sighting } from '../../log/summary.ts'
import { ok, type Outcome, type PlainCheck } from '../../check.ts'

export const redisLog: PlainCheck<'redisHere' | 'redisLog'> = {
  id: 'host.redis-log',
  layer: 'host',
  title: 'the Redis log since the last start',
  why: 'Redis says why it did not start or save, and says it only there.',
  severity: 'fail',
  needs: ['redisHere', 'redisLog'],
  explains: ['refused', 'snapshot-failing', 'aof-failing'],
  judge: ({ redisLog: { source, lines, sightings } }) => {
    // Settings of the machine have checks of their own, which see how they are now.
    const telling = sightings.filter(({ service, weight }) => service !== 'host' && weight !== 'info')
    if (telling.length === 0) return ok('Nothing in it tells of trouble.', [`${source}, ${lines} lines`])
    return telling.map((sighting) => outcomeOf(sighting, source))
  },
}

function outcomeOf({ weight, meaning, nextStep, count, lastAt, example, checks }: Sighting, source: string): Outcome {
  const often = `${count} ${count === 1 ? 'line' : 'lines'}${lastAt === undefined ? '' : `, last ${lastAt}`} (${source})`
  const see = checks.length > 0 ? ` See also ${checks.join(', ')}.` : ''
  return { state: weight, summary: meaning, evidence: [example, often], fix: { text: `${nextStep}${see}` } }
}
