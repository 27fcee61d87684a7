/** Can a Sentinel in a container save its state? */
import { isSentinelService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'

export const sentinelFile: PlainCheck<'composeServices'> = {
  id: 'application.sentinel-file',
  layer: 'application',
  title: 'the state of Sentinels in containers',
  why: 'A Sentinel renames a new file over sentinel.conf. Onto a single file that is mounted that fails: it never saves what it knows, and after a restart it is somebody else who watches the old master.',
  severity: 'fail',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const sentinels = composeServices.filter(isSentinelService)
    if (sentinels.length === 0) return nothingToJudge('The compose files have no Sentinel.')
    const single = sentinels.flatMap(({ name, file, volumes }) =>
      volumes
        .filter(({ target }) => target.endsWith('.conf'))
        .map(({ source, target }) => ({ name, file, source, target })),
    )
    if (single.length === 0) return ok('None of them has a single file mounted as its configuration.')
    return single.map(({ name, file, source, target }) => ({
      state: 'fail',
      summary: `Sentinel ${name} cannot save its state.`,
      evidence: [`${file}: volumes: ${source}:${target}`],
      fix: {
        text: 'Mount a writable directory, and let the container copy its template into it once: `evenkeel setup compose` writes such a file.',
        commands: ['evenkeel setup compose --dry-run'],
      },
    }))
  },
}
