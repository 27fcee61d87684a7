/** Do the sentinels keep what they know over a restart? */
import { ok, type PlainCheck } from '../../check.ts'

export const sentinelState: PlainCheck<'sentinels'> = {
  id: 'replication.sentinel-state',
  layer: 'replication',
  title: 'configuration files of the sentinels',
  why: 'A sentinel writes into its own file which server is the master. Where it cannot (a file mounted alone into a container) it starts with the master of old, after every restart.',
  severity: 'fail',
  needs: ['sentinels'],
  judge: ({ sentinels }) => {
    const asked = sentinels.filter(({ unreached }) => unreached === undefined)
    const failing = asked.filter(({ flushed }) => flushed !== 'OK')
    const evidence = asked.map(({ place, flushed }) => `${place}: SENTINEL FLUSHCONFIG ${flushed}`)
    if (asked.length === 0) return [{ state: 'not-available', summary: 'No sentinel answers.', evidence: [] }]
    if (failing.length === 0) return ok('Written.', evidence)
    return [
      {
        state: 'fail',
        summary: `${failing.map(({ place }) => place).join(', ')} cannot write its configuration.`,
        evidence,
        fix: {
          text: 'Mount a directory that the sentinel may write, not the single file: it writes a new file and renames it. Copy the template into it at the first start.',
        },
      },
    ]
  },
}
