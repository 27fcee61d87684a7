/** May the kernel refuse the fork of a snapshot for memory that will not be used? */
import { ok, type PlainCheck } from '../../check.ts'

export const overcommit: PlainCheck<'redisHere' | 'overcommit'> = {
  id: 'host.overcommit',
  layer: 'host',
  title: 'vm.overcommit_memory',
  why: 'A snapshot forks the server. Without overcommit the kernel may refuse that although there is memory enough, and writes are refused after it (MISCONF).',
  severity: 'warn',
  needs: ['redisHere', 'overcommit'],
  judge: ({ overcommit: setting }) => {
    const evidence = [`vm.overcommit_memory ${setting}`]
    if (setting === 1) return ok('A fork is not refused for memory that it does not use.', evidence)
    return [
      {
        state: 'warn',
        summary: 'The kernel may refuse the fork that a snapshot needs.',
        evidence,
        fix: {
          text: 'Set it now and for every start.',
          commands: [
            'sudo sysctl vm.overcommit_memory=1',
            "echo 'vm.overcommit_memory = 1' | sudo tee /etc/sysctl.d/60-redis-overcommit.conf",
          ],
        },
        undo: {
          text: 'Take it back.',
          commands: ['sudo rm /etc/sysctl.d/60-redis-overcommit.conf', `sudo sysctl vm.overcommit_memory=${setting}`],
        },
      },
    ]
  },
}
