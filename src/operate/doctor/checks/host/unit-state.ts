/** Is the service running, and how often did it have to be started again? */
import type { ServiceUnit } from '../../../host/unit.ts'
import { nothingToJudge, ok, type DoctorCheck, type Outcome } from '../../check.ts'

export const unitState: DoctorCheck<'redisHere' | 'unit', 'info'> = {
  id: 'host.unit-state',
  layer: 'host',
  title: 'the state of the systemd unit',
  why: 'A service that failed stays down until somebody starts it; one that is started again and again loses its clients each time.',
  severity: 'fail',
  needs: ['redisHere', 'unit'],
  wants: ['info'],
  explains: ['refused', 'socket-missing', 'socket-refused'],
  judge: ({ unit, info }) => {
    if (unit.source === 'files') return nothingToJudge('systemd does not run here; only its files can be read.')
    const property = (name: string): string => unit.properties.get(name) ?? ''
    const evidence = [
      `${unit.name}.service: ${property('ActiveState')} (${property('SubState')}), Result ${property('Result')}, NRestarts ${property('NRestarts')}`,
    ]
    const active = property('ActiveState') === 'active'
    if (!active && info !== undefined) return [{ state: 'info', ...NOT_OF_THE_UNIT, evidence }]
    if (!active) return [{ ...downOutcome(unit), evidence }]
    if (Number(property('NRestarts')) === 0) return ok('The service runs, and has not been started again.', evidence)
    return [
      {
        state: 'warn',
        summary: `The service has been started again ${property('NRestarts')} times since boot.`,
        evidence,
        fix: { text: 'Its log says why it ended.', commands: [`journalctl -u ${unit.name} -b --no-pager | tail -100`] },
      },
    ]
  },
}

const NOT_OF_THE_UNIT = {
  summary: 'The Redis that answers is not the one of the systemd unit, which does not run.',
  fix: {
    text: 'If both are meant to exist, nothing; else see who starts the other one: `ps -o ppid,args -C redis-server`.',
  },
} as const

function downOutcome({ name, properties }: ServiceUnit): Omit<Outcome, 'evidence'> {
  // Of a service that it has started again systemd keeps the result of the last try; it stops only at the limit.
  const stopped = properties.get('ActiveState') === 'failed' && Number(properties.get('NRestarts')) > 0
  const gaveUp = properties.get('Result') === 'start-limit-hit' || stopped
  const trying = properties.get('SubState') === 'auto-restart' || properties.get('ActiveState') === 'activating'
  const inactive = properties.get('ActiveState') === 'inactive'
  const summary = gaveUp
    ? 'systemd has given Redis up after several failed starts.'
    : trying
      ? 'systemd starts Redis again and again, and it does not stay up.'
      : inactive
        ? 'The service of Redis is stopped.'
        : `The service of Redis has failed (${properties.get('Result') ?? ''}).`
  return {
    state: 'fail',
    summary,
    fix: {
      text: inactive ? 'Start it.' : 'Mend the cause first, which the log names; then start it.',
      commands: [
        `journalctl -u ${name} -n 50 --no-pager`,
        `sudo systemctl reset-failed ${name}; sudo systemctl start ${name}`,
      ],
    },
  }
}
