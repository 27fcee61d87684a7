/** Is the image of Redis one that still gets mended? */
import { isRedisService } from '../../../host/compose.ts'
import { nothingToJudge, ok, type Outcome, type PlainCheck } from '../../check.ts'

/** The first patch of each line without CVE-2025-49844 (a script takes over the server; CVSS 10). */
const MENDED: Readonly<Record<string, number>> = { '6.2': 20, '7.2': 11, '7.4': 6, '8.0': 4, '8.2': 2 }
/** Lines before this one get no patches any more. */
const OLDEST = 6.2

export const imageVersion: PlainCheck<'composeServices'> = {
  id: 'application.image-version',
  layer: 'application',
  title: 'images of Redis in compose files',
  why: 'An image without a version is another one tomorrow, and an old one is known to attackers: CVE-2025-49844 lets a script take over the server.',
  severity: 'warn',
  needs: ['composeServices'],
  judge: ({ composeServices }) => {
    const official = composeServices.filter(
      (service) => isRedisService(service) && /(^|\/)redis(:|@|$)/.test(service.image),
    )
    if (official.length === 0) return nothingToJudge('The compose files have no image of redis.')
    const found = official.flatMap(({ name, file, image }): Outcome[] => {
      const problem = problemOf(image)
      if (problem === undefined) return []
      return [
        {
          state: 'warn',
          summary: `Service ${name}: ${problem}`,
          evidence: [`${file}: image: ${image}`],
          fix: {
            text: 'Pin a supported version by its minor, such as `redis:8.2-alpine`, and pull its patches.',
            commands: [`docker compose pull ${name}`],
          },
        },
      ]
    })
    return found.length > 0 ? found : ok('Their versions are pinned and supported.')
  },
}

function problemOf(image: string): string | undefined {
  if (image.includes('@sha256:')) return undefined
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest'
  const [, major, minor, patch] = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(tag) ?? []
  if (major === undefined) return `the image has no version (${tag}).`
  if (minor === undefined)
    return Number(major) < Math.floor(OLDEST) ? `Redis ${major} gets no patches any more.` : undefined
  const line = `${major}.${minor}`
  if (Number(line) < OLDEST) return `Redis ${line} gets no patches any more.`
  const mended = MENDED[line]
  if (patch === undefined || mended === undefined || Number(patch) >= mended) return undefined
  return `Redis ${line}.${patch} has CVE-2025-49844, mended in ${line}.${mended}.`
}
