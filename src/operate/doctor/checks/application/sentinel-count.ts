/** Are there Sentinels enough, and apart enough? */
import { isSentinelService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const ENOUGH = 3

export const sentinelCount: PlainCheck<'composeServices'> = {
  id: 'application.sentinel-count',
  layer: 'application',
  title: 'the number of Sentinels in a compose file',
  why: 'A failover needs a majority. One Sentinel is none: it fails over on its own word, or never; three on one machine go down with it.',
  severity: 'fail',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const byFile = [...Map.groupBy(composeServices.filter(isSentinelService), ({ file }) => file)]
    if (byFile.length === 0) return nothingToJudge('The compose files have no Sentinel.')
    const total = byFile.reduce((sum, [, sentinels]) => sum + sentinels.length, 0)
    const evidence = byFile.map(([file, sentinels]) => `${file}: ${sentinels.map(({ name }) => name).join(', ')}`)
    if (total < ENOUGH)
      return [
        {
          state: 'fail',
          summary: `${total === 1 ? 'One Sentinel is' : `${total} Sentinels are`} no majority of anything.`,
          evidence,
          fix: {
            text: 'Run three on three machines with quorum 2, or none: one Redis with persistence is back sooner than a failover that cannot happen.',
          },
        },
      ]
    if (byFile.length >= ENOUGH) return ok('There are enough, in files of their own.', evidence)
    return [
      {
        state: 'warn',
        summary: 'All Sentinels are in one compose file, so most likely on one machine: that is no high availability.',
        evidence,
        fix: { text: 'Right for trying it out. In production each Sentinel and each Redis has a machine of its own.' },
      },
    ]
  },
}
