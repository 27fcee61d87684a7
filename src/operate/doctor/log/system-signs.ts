/** What systemd, the kernel and Docker write about a Redis that went away. */
import type { LogSign } from './sign.ts'

const UNIT = String.raw`(?:redis|valkey)[\w@.-]*`

export const SYSTEM_SIGNS: readonly LogSign[] = [
  {
    code: 'host.start-limit',
    service: 'host',
    weight: 'fail',
    patterns: [
      new RegExp(`${UNIT}: Start request repeated too quickly`, 'i'),
      new RegExp(`${UNIT}: Failed with result 'start-limit-hit'`, 'i'),
    ],
    meaning: 'systemd has given Redis up after several failed starts: it stays down until somebody starts it.',
    nextStep:
      '`systemctl reset-failed redis-server && systemctl start redis-server` now; a drop-in with `StartLimitIntervalSec=0` and `RestartSec=2` keeps it from happening again (`evenkeel setup redis-host`).',
    checks: ['host.start-limit', 'host.unit-state', 'host.bind-missing'],
  },
  {
    code: 'host.oom-kills',
    service: 'host',
    weight: 'fail',
    patterns: [
      /Out of memory: Killed process \d+ \((?:redis|valkey)-server\)/i,
      /oom-kill:.*task=(?:redis|valkey)-server/i,
      new RegExp(
        `${UNIT}: (?:A process of this unit has been killed by the OOM killer|Failed with result 'oom-kill')`,
        'i',
      ),
    ],
    meaning: 'The kernel killed Redis because memory ran out.',
    nextStep: 'Set `maxmemory` to at most three quarters of what the machine or the container grants, or grant more.',
    checks: ['host.oom-kills', 'host.memory-limit', 'memory.limit', 'host.fork-memory'],
  },
  {
    code: 'host.unit-state',
    service: 'host',
    weight: 'fail',
    patterns: [
      new RegExp(`${UNIT}: Main process exited, code=(?:killed|dumped|exited), status=(?!0)`, 'i'),
      new RegExp(`${UNIT}: Failed with result '(?:exit-code|signal|timeout|core-dump|protocol)'`, 'i'),
      new RegExp(`Dependency failed for .*(?:redis|valkey|key-value)`, 'i'),
    ],
    meaning: 'The service of Redis ended by itself, or was not started.',
    nextStep:
      'The end of the Redis log says why: `journalctl -u redis-server -n 50`, `tail -50 /var/log/redis/redis-server.log`.',
    checks: ['host.unit-state', 'host.requires-docker'],
  },
]
