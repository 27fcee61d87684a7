/** Is the server still reading its data? */
import { ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { bytesText, durationText, told } from '../words.ts'

export const loading: PlainCheck<'info'> = {
  id: 'persistence.loading',
  layer: 'persistence',
  title: 'loading of the data after a start',
  why: 'Until all is read every command is answered with LOADING. That is no outage that anybody must end: a restart begins it anew.',
  severity: 'fail',
  needs: ['info'],
  explains: ['loading'],
  judge: ({ info }) => {
    if (info.get('loading') !== '1' && info.get('async_loading') !== '1') return ok('All is loaded.')
    const eta = numberIn(info, 'loading_eta_seconds')
    const evidence = [
      `${bytesText(numberIn(info, 'loading_loaded_bytes'))} of ${bytesText(numberIn(info, 'loading_total_bytes'))} read`,
      ...told(info, 'loading_loaded_perc', 'loading_eta_seconds'),
    ]
    return [
      {
        state: 'fail',
        summary: `The server is loading its data${eta >= 0 ? `, for about ${durationText(eta)} more` : ''}.`,
        evidence,
        fix: {
          text: 'Wait, and do not restart it: that begins anew. A replica can serve meanwhile.',
          commands: ['evenkeel check --wait 10m'],
        },
      },
    ]
  },
}
