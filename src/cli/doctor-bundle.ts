/** Where a support archive goes, and what is in it of each endpoint. */
import { OptionError } from '../errors.ts'
import { writeArchive, type DoctorReport, type Exhibits } from '../operate/index.ts'
import { asJson } from './doctor-text.ts'

/** What one endpoint gives to the archive; undefined for what is no Redis. */
export interface Collected {
  readonly report: DoctorReport
  readonly exhibits: Exhibits | undefined
}

/**
 * Of several endpoints each has a folder of its own. Returns the path.
 * @throws OptionError when there is nothing to write, or it cannot be written
 */
export async function writeBundle(path: string, all: readonly Collected[]): Promise<string> {
  const at = new Date()
  const file = path === '' ? `evenkeel-doctor-${at.toISOString().slice(0, 19).replaceAll(':', '-')}.tar.gz` : path
  const told = all.flatMap(({ report, exhibits }) => (exhibits === undefined ? [] : [{ report, exhibits }]))
  if (told.length === 0) throw new OptionError('--bundle', 'Expected a Redis to look at with --bundle, got none.')
  const files = told.flatMap(({ report, exhibits }, index) => {
    const folder = told.length === 1 ? '' : `${index + 1}/`
    const reported = { path: 'report.json', text: cleanJson(asJson([report]), exhibits.clean) }
    return [reported, ...exhibits.files].map((one) => ({ ...one, path: `${folder}${one.path}` }))
  })
  await writeArchive(file, files, at)
  return file
}

/** Text by text, for a hole across a quote would leave no JSON. */
function cleanJson(json: string, clean: (text: string) => string): string {
  const cleaned = (_name: string, value: unknown): unknown => (typeof value === 'string' ? clean(value) : value)
  return `${JSON.stringify(JSON.parse(json, cleaned), null, 2)}\n`
}
