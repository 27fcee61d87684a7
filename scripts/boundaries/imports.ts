/** Reads what a source file imports, types included, and whether it is a pure index. */
import { parseSync, Visitor, type Program } from 'oxc-parser'

/** One mention of another module. */
export interface Import {
  readonly specifier: string
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean
  readonly line: number
}

/** A parsed file. */
export interface Source {
  readonly path: string
  readonly imports: readonly Import[]
  /** Holds nothing but `export … from` lines. */
  readonly onlyExports: boolean
}

/** @throws Error when the text is no TypeScript */
export function readSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text)
  const [error] = errors
  if (error !== undefined) throw new Error(`${path} cannot be parsed: ${error.message}`)
  return { path, imports: importsOf(program, text), onlyExports: program.body.every(isReExport) }
}

function importsOf(program: Program, text: string): Import[] {
  const found: Import[] = []
  const add = (source: { value?: unknown; start: number }, typeOnly: boolean): void => {
    if (typeof source.value === 'string')
      found.push({ specifier: source.value, typeOnly, line: lineAt(text, source.start) })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type' || allTypes(node.specifiers)),
    ExportNamedDeclaration: (node) => node.source && add(node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
  }).visit(program)
  return found
}

/** `import { type A, type B } from` leaves nothing behind, `import 'x'` does. */
function allTypes(specifiers: readonly { type: string; importKind?: string }[]): boolean {
  return specifiers.length > 0 && specifiers.every(({ importKind }) => importKind === 'type')
}

function isReExport(node: Program['body'][number]): boolean {
  return node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && node.source !== null)
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
