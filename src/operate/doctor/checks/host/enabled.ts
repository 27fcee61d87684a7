/** Is Redis started at boot? */
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

const ENABLED = ['enabled', 'enabled-runtime', 'alias', 'static', 'indirect', 'generated', 'linked']

export const enabled: PlainCheck<'redisHere' | 'unit'> = {
  id: 'host.enabled',
  layer: 'host',
  title: 'started at boot',
  why: 'A Redis that somebody started by hand is gone after the next reboot.',
  severity: 'fail',
  needs: ['redisHere', 'unit'],
  judge: ({ unit }) => {
    const state = unit.properties.get('UnitFileState') ?? ''
    if (unit.source === 'files' || state === '')
      return nothingToJudge('systemd does not run here, so nothing says what it would start.')
    const evidence = [`${unit.name}.service: ${state}`]
    if (ENABLED.includes(state)) return ok('systemd starts it at boot.', evidence)
    return [
      {
        state: 'fail',
        summary: `systemd does not start Redis at boot (${state}).`,
        evidence,
        fix: {
          text:
            state === 'masked' ? 'Somebody has masked it on purpose; ask, then unmask and enable it.' : 'Enable it.',
          commands: [
            ...(state === 'masked' ? [`sudo systemctl unmask ${unit.name}`] : []),
            `sudo systemctl enable ${unit.name}`,
          ],
        },
        undo: { text: 'Disable it.', commands: [`sudo systemctl disable ${unit.name}`] },
      },
    ]
  },
}
