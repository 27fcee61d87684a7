/**
 * Tables of options out of the interfaces that declare them, so that a page cannot say another default than the source:
 *
 *     /** How long a read waits for its answer, in milliseconds. @default 250 *\/
 *     readonly readDeadlineMs?: number
 */
import { readFileSync } from 'node:fs'
import { root } from '../project.ts'

/** One field of an interface of options. */
export interface OptionField {
  readonly name: string
  /** Must it be given? */
  readonly required: boolean
  readonly text: string
  /** As it stands behind `@default`. */
  readonly default: string | undefined
}

const FIELD = /(?:\/\*\*(?<doc>(?:(?!\*\/)[\s\S])*)\*\/\s*)?readonly (?<name>\w+)(?<optional>\?)?:/g

/** The fields of an exported interface, in the order of the source. */
export function optionsIn(source: string, name: string): OptionField[] {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1]
  if (body === undefined) throw new Error(`There is no interface ${name}.`)
  return [...body.matchAll(FIELD)].map(({ groups = {} }) => {
    const [text = '', preset] = oneLine(groups['doc'] ?? '').split(/\s*@default\s+/)
    return { name: groups['name'] ?? '', required: groups['optional'] === undefined, text, default: preset }
  })
}

/** The table of one interface in a file of `src/`. */
export function optionTable(file: string, name: string): string {
  const rows = optionsIn(readFileSync(`${root}/src/${file}`, 'utf8'), name).map(
    ({ name, required, text, default: preset }) =>
      `| \`${name}\` | ${cell(preset ?? (required ? 'must be given' : '–'))} | ${cell(text)} |`,
  )
  return ['| option | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

function oneLine(doc: string): string {
  return doc
    .split('\n')
    .map((line) => line.trim().replace(/^\*\s?/, ''))
    .join(' ')
    .trim()
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
