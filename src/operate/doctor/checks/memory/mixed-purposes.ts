/** Is one instance used for things that want different settings? */
import { ok, type PlainCheck } from '../../check.ts'

export const mixedPurposes: PlainCheck<'purposes'> = {
  id: 'memory.mixed-purposes',
  layer: 'memory',
  title: 'what the instance is used for',
  why: 'Limit, eviction and persistence are settings of the instance and not of a database number: what suits a cache loses a queue.',
  severity: 'info',
  needs: ['purposes'],
  judge: ({ purposes: { uses } }) => {
    const kinds = [...new Set(uses.map(({ purpose }) => purpose))]
    const evidence = uses.map(({ purpose, where }) => `${purpose} in ${where}`)
    if (kinds.length < 2 || !kinds.includes('cache')) return ok('They go together.', evidence)
    return [
      {
        state: 'info',
        summary: `One instance for ${kinds.join(', ')}.`,
        evidence,
        fix: {
          text: 'Give the cache an instance of its own (allkeys-lfu, no persistence), and the rest one with noeviction and an append-only file.',
        },
      },
    ]
  },
}
