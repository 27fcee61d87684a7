/** Are there enough sentinels, in enough places? */
import { ok, type PlainCheck } from '../../check.ts'

const ENOUGH = 3

export const sentinelCount: PlainCheck<'sentinels'> = {
  id: 'replication.sentinel-count',
  layer: 'replication',
  title: 'number of sentinels and where they are',
  why: 'One sentinel fails over by mistake, two cannot agree when one is away, and three on one machine go down together.',
  severity: 'fail',
  needs: ['sentinels'],
  judge: ({ sentinels }) => {
    const counts = sentinels.filter(({ unreached }) => unreached === undefined).map(({ others }) => others.length + 1)
    const known = Math.max(sentinels.length, ...counts)
    const places = [...new Set(sentinels.flatMap(({ place, others }) => [place, ...others]))]
    const hosts = new Set(places.map((place) => place.replace(/:\d+$/, '')))
    const evidence = [
      `${known} sentinels: ${places.join(', ')}`,
      ...sentinels.slice(0, 1).map(({ fields }) => `quorum ${fields.get('quorum') ?? 'not told'}`),
    ]
    const fix = {
      text: 'Run three, or five, on as many machines that do not fail together, each with a quorum of the majority.',
    }
    if (known < ENOUGH)
      return [
        {
          state: 'fail',
          summary: `${known === 1 ? 'One sentinel is' : 'Two sentinels are'} no high availability.`,
          evidence,
          fix,
        },
      ]
    if (hosts.size === 1) return [{ state: 'warn', summary: 'All sentinels are on one machine.', evidence, fix }]
    if (known % 2 === 0)
      return [{ state: 'info', summary: 'With an even number one more failure is not survived.', evidence, fix }]
    return ok('Enough.', evidence)
  },
}
