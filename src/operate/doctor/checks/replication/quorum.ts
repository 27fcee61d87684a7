/** Could the sentinels replace the master now? */
import { ok, type PlainCheck } from '../../check.ts'

export const quorum: PlainCheck<'sentinels'> = {
  id: 'replication.quorum',
  layer: 'replication',
  title: 'quorum of the sentinels',
  why: 'Without a quorum and a majority nobody replaces a master that fails, and nobody says so before.',
  severity: 'fail',
  needs: ['sentinels'],
  explains: ['sentinels-away', 'sentinel-undecided', 'sentinel-no-good-replica'],
  judge: ({ sentinels }) => {
    const evidence = sentinels.map(({ place, unreached, quorum }) => `${place}: ${unreached ?? quorum}`)
    const reached = sentinels.filter(({ unreached }) => unreached === undefined)
    const able = reached.filter(({ quorum }) => quorum.startsWith('OK'))
    const away = sentinels.length - reached.length
    if (able.length === sentinels.length) return ok('They could.', evidence)
    return [
      {
        state: able.length > 0 && away > 0 ? 'warn' : 'fail',
        summary:
          able.length > 0
            ? `${away} of ${sentinels.length} sentinels do not answer.`
            : 'The sentinels could not replace the master.',
        evidence,
        fix: {
          text: 'Start the sentinels that are away, and see that they reach one another (announce-ip, firewall, port 26379).',
          commands: ['redis-cli -p 26379 SENTINEL CKQUORUM <master>', 'redis-cli -p 26379 SENTINEL SENTINELS <master>'],
        },
      },
    ]
  },
}
