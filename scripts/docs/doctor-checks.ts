/** The table of everything that the doctor checks, written by the checks themselves. */
import { CATALOGUE, DOCTOR_LAYERS, type DoctorCheck } from '../../src/operate/index.ts'
import { SOURCES } from '../../src/operate/doctor/evidence/sources.ts'

/** One table over all layers; the name of a layer is a row of its own. */
export function doctorTable(): string {
  const rows = DOCTOR_LAYERS.flatMap((layer) => {
    const checks = CATALOGUE.filter((check) => check.layer === layer)
    return [`| **${layer}** | | | |`, ...checks.map(row)]
  })
  return ['| check | worst | looks at | reads |', '|---|---|---|---|', ...rows].join('\n')
}

function row({ id, severity, title, needs, wants = [] }: DoctorCheck): string {
  const sources = [...new Set([...needs, ...wants].map((name) => SOURCES[name].reads))]
  return `| \`${id}\` | ${severity} | ${escaped(title)} | ${escaped(sources.join('; '))} |`
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
