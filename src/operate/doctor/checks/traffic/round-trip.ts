/** How long does an answer take, from here? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const SLOW_MS = 5
/** From another continent everything is slow, and 5 ms would be said each time. */
const FAR_MS = 20

export const roundTrip: PlainCheck<'diagnosis'> = {
  id: 'traffic.round-trip',
  layer: 'traffic',
  title: 'round trip of a small question',
  why: 'An application that asks ten times for one page waits ten times as long.',
  severity: 'warn',
  needs: ['diagnosis'],
  judge: ({ diagnosis }) => {
    const layer = diagnosis.layers.find(({ name }) => name === 'round-trip')
    const p50 = Number(layer?.facts['p50Ms'])
    if (layer === undefined || Number.isNaN(p50)) return nothingToJudge('No answer could be measured.')
    if (!(p50 > SLOW_MS)) return ok('Short.', [layer.detail])
    return [
      {
        state: p50 > FAR_MS ? 'warn' : 'info',
        summary: `Half of the answers take longer than ${Math.round(p50)} ms.`,
        evidence: [layer.detail],
        fix: {
          text: 'Compare with the way alone: when ping takes as long, the server is far away, and only a nearer one or fewer questions (pipelines, MGET, a first-level cache) help. Else look at slow commands and at the processor of the server.',
          commands: [
            'ping -c 5 <host>',
            'redis-cli --latency -h <host>',
            'redis-cli --intrinsic-latency 10   # on the machine of the server',
          ],
        },
      },
    ]
  },
}
