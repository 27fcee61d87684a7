/** Does the server notice a client that vanished without a word? */
import { ok, type PlainCheck } from '../../check.ts'
import { setting, told } from '../words.ts'

export const keepAlive: PlainCheck<'config'> = {
  id: 'traffic.keep-alive',
  layer: 'traffic',
  title: 'tcp-keepalive',
  why: 'Without it the connections of machines that were switched off stay for ever, and firewalls drop those that are quiet.',
  severity: 'warn',
  needs: ['config'],
  judge: ({ config }) => {
    const evidence = told(config, 'tcp-keepalive', 'timeout')
    if (config.get('tcp-keepalive') !== '0') return ok('Dead connections are noticed.', evidence)
    return [
      {
        state: 'warn',
        summary: 'Dead connections are never noticed.',
        evidence,
        fix: { text: 'Ask every few minutes, as is the default.', commands: setting('tcp-keepalive', '300') },
        undo: { text: 'Never ask.', commands: setting('tcp-keepalive', '0') },
      },
    ]
  },
}
