/** Does systemd give Redis up before the addresses that it binds can be there? */
import { isLoopback } from '../../../host/addresses.ts'
import { spanMs } from '../../../host/unit.ts'
import { ok, type DoctorCheck } from '../../check.ts'

export const startLimit: DoctorCheck<'redisHere' | 'unit' | 'wantedBind', 'nonlocalBind'> = {
  id: 'host.start-limit',
  layer: 'host',
  title: "systemd's start limit against late addresses",
  why: 'With the defaults systemd starts a failing service six times within 1.3 s and then never again; bridges of Docker come seconds later. That, and not the missing address alone, is why Redis is down after a reboot.',
  severity: 'fail',
  needs: ['redisHere', 'unit', 'wantedBind'],
  wants: ['nonlocalBind'],
  judge: ({ unit, wantedBind, nonlocalBind = false }) => {
    const late = wantedBind.addresses.filter(
      ({ address, wildcard, optional }) => !wildcard && !optional && !isLoopback(address),
    )
    const property = (name: string): string => unit.properties.get(name) ?? ''
    const [restart, pause, interval, burst] = [
      'Restart',
      'RestartUSec',
      'StartLimitIntervalUSec',
      'StartLimitBurst',
    ].map(property)
    const evidence = [
      `${unit.name}.service: Restart ${restart ?? ''}, RestartSec ${pause ?? ''}, StartLimitIntervalSec ${interval ?? ''}, StartLimitBurst ${burst ?? ''}`,
      `bind beside loopback: ${late.map(({ address }) => address).join(', ') || 'nothing'} (${wantedBind.from})`,
    ]
    if (late.length === 0) return ok('Redis binds nothing that could come late.', evidence)
    if (nonlocalBind) return ok('What comes late is bound before it is there (ip_nonlocal_bind).', evidence)
    const limited = spanMs(pause) * Number(burst) < spanMs(interval) && spanMs(interval) > 0 && Number(burst) > 0
    if (restart !== 'no' && !limited) return ok('systemd goes on trying until the addresses are there.', evidence)
    return [
      {
        state: 'fail',
        summary:
          restart === 'no'
            ? 'systemd does not start Redis again when it fails, and Redis binds addresses that may come late at boot.'
            : 'systemd gives Redis up before addresses that come late at boot can be there.',
        evidence,
        fix: {
          text: 'Let it go on trying: a drop-in. `evenkeel setup redis-host` writes it.',
          commands: [
            `sudo mkdir -p /etc/systemd/system/${unit.name}.service.d`,
            `printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nRestart=always\\nRestartSec=2\\n' | sudo tee /etc/systemd/system/${unit.name}.service.d/zz-evenkeel.conf`,
            'sudo systemctl daemon-reload',
          ],
        },
        undo: {
          text: 'Remove the drop-in.',
          commands: [
            `sudo rm /etc/systemd/system/${unit.name}.service.d/zz-evenkeel.conf`,
            'sudo systemctl daemon-reload',
          ],
        },
      },
    ]
  },
}
