/** Are transparent huge pages on for everybody? */
import { bytesText } from '../words.ts'
import { ok, type DoctorCheck } from '../../check.ts'

export const hugePages: DoctorCheck<'redisHere' | 'hugePages', 'redisProcess' | 'config'> = {
  id: 'host.huge-pages',
  layer: 'host',
  title: 'transparent huge pages',
  why: 'With huge pages each write after the fork of a snapshot copies 2 MiB instead of 4 KiB: latency and memory jump while Redis saves.',
  severity: 'warn',
  needs: ['redisHere', 'hugePages'],
  wants: ['redisProcess', 'config'],
  judge: ({ hugePages: mode, redisProcess, config }) => {
    const bytes = redisProcess?.hugeBytes ?? Number.NaN
    const evidence = [
      `transparent_hugepage ${mode}`,
      ...(Number.isNaN(bytes) ? [] : [`this Redis has ${bytesText(bytes)} in huge pages`]),
      ...(config?.has('disable-thp') === true ? [`disable-thp ${config.get('disable-thp') ?? ''}`] : []),
    ]
    if (mode !== 'always') return ok('Programs get them on request only.', evidence)
    // From 6.2 on Redis switches them off for itself; it can be seen that it has none.
    if (bytes === 0 && config?.get('disable-thp') === 'yes')
      return ok('Redis has switched them off for itself.', evidence)
    return [
      {
        state: 'warn',
        summary: 'Transparent huge pages are on for every program.',
        evidence,
        fix: {
          text: 'Give them on request only, now and at boot; then restart Redis.',
          commands: [
            'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
            "echo 'w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise' | sudo tee /etc/tmpfiles.d/60-redis-thp.conf",
          ],
        },
        undo: {
          text: 'Take it back.',
          commands: [
            'sudo rm /etc/tmpfiles.d/60-redis-thp.conf',
            'echo always | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
          ],
        },
      },
    ]
  },
}
