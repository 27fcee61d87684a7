/**
 * Finds what the import table forbids: a forbidden import, an entry past an index.ts, an index with code in it,
 * an unknown folder, a package that is not declared, a cycle.
 */
import { posix } from 'node:path'
import { findCycles } from './cycles.ts'
import { readSource, type Import, type Source } from './imports.ts'
import { LEAVES, OUTSIDE, SOURCE } from './table.ts'

/** What the checker looks at. */
export interface Tree {
  /** Path from the root of the project → text. */
  readonly files: ReadonlyMap<string, string>
  /** Files that package.json exports: doors of their own. */
  readonly entries: readonly string[]
  /** Packages that package.json declares for users: dependencies and peers. */
  readonly packages: readonly string[]
}

/** One breach, with where it is. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Every breach of the table in a tree; an empty list means that all is well. */
export function violationsIn(tree: Tree): Violation[] {
  const sources = [...tree.files].map(([path, text]) => readSource(path, text))
  return [
    ...sources.flatMap((source) => [...placeOf(source), ...shapeOf(source), ...importsOf(source, tree)]),
    ...cyclesOf(sources, tree),
  ]
}

/** Parts of the table to which no file belongs: what it says of them is true of nothing. */
export function emptyParts(paths: Iterable<string>): string[] {
  const parts = new Set([...paths].map(partOf))
  return Object.keys({ ...SOURCE, ...OUTSIDE }).filter((part) => !parts.has(part))
}

/** The part of the table a file belongs to. */
function partOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  if (top !== 'src') return top
  const leaf = LEAVES.find((name) => path === `src/${name}.ts` || path === `src/${name}.test.ts`)
  return leaf ?? second.replace(/(\.test)?\.ts$/, '')
}

function placeOf({ path }: Source): Violation[] {
  const table = path.startsWith('src/') ? SOURCE : OUTSIDE
  if (Object.hasOwn(table, partOf(path))) return []
  return [{ path, line: 1, message: `'${partOf(path)}' is not in the import table (scripts/boundaries/table.ts)` }]
}

function shapeOf({ path, onlyExports }: Source): Violation[] {
  if (!path.startsWith('src/') || posix.basename(path) !== 'index.ts' || onlyExports) return []
  return [{ path, line: 1, message: "an index.ts holds only 'export … from' lines" }]
}

function importsOf(source: Source, tree: Tree): Violation[] {
  const found = source.imports.map((entry) => ({ line: entry.line, message: complaint(source, entry, tree) }))
  const roles = new Set(source.imports.map(({ specifier }) => partOf(resolved(source.path, specifier))))
  const { oneOf = [] } = allowedFor(source.path)
  const several = oneOf.filter((role) => roles.has(role))
  if (several.length > 1) found.push({ line: 1, message: `one role per file, here are ${several.join(' and ')}` })
  return found.flatMap(({ line, message }) => (message === undefined ? [] : [{ path: source.path, line, message }]))
}

function complaint(source: Source, entry: Import, tree: Tree): string | undefined {
  const { specifier } = entry
  if (specifier.startsWith('.')) return relativeComplaint(source.path, entry, tree)
  if (/^evenkeel(\/|$)/.test(specifier)) return selfComplaint(source.path)
  if (specifier.startsWith('node:') || !isShipped(source.path)) return undefined
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return tree.packages.includes(name) ? undefined : `'${name}' is neither a dependency nor a peer of the package`
}

function relativeComplaint(path: string, { specifier, typeOnly }: Import, tree: Tree): string | undefined {
  const target = resolved(path, specifier)
  const from = partOf(path)
  const to = partOf(target)
  if (from === to && sameTree(path, target)) return undefined
  if (!mayImport(path, target, typeOnly)) return `${from} may not import ${to} (${target})${hint(path, to)}`
  if (!isDoor(target, tree) && isShipped(path)) return `'${to}' is entered through its index.ts, not through ${target}`
  return undefined
}

function selfComplaint(path: string): string | undefined {
  if (allowedFor(path).imports.includes('package')) return undefined
  return `${partOf(path)} may not import the package by its public name`
}

function mayImport(path: string, target: string, typeOnly: boolean): boolean {
  const { imports, types = [], oneOf = [] } = allowedFor(path)
  const to = partOf(target)
  const outside = !path.startsWith('src/')
  if (outside && target.startsWith('src/')) return imports.includes('src')
  if (!outside && !target.startsWith('src/')) return isTest(path) && to === 'test'
  return imports.includes(to) || oneOf.includes(to) || (typeOnly && types.includes(to))
}

function hint(path: string, to: string): string {
  const { imports, types = [], oneOf = [] } = allowedFor(path)
  if (types.includes(to)) return `; only its types, by 'import type'`
  const names = [...imports, ...oneOf]
  return names.length === 0 ? '; it may import nothing' : `; allowed: ${names.join(', ')}`
}

function cyclesOf(sources: readonly Source[], { files }: Tree): Violation[] {
  const graph = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.map(({ specifier }) => resolved(path, specifier)).filter((target) => files.has(target)),
    ]),
  )
  return findCycles(graph).map((cycle) => ({
    path: cycle[0] ?? '',
    line: 1,
    message: `import cycle: ${cycle.join(' -> ')}`,
  }))
}

function allowedFor(path: string): (typeof SOURCE)[string] {
  return (path.startsWith('src/') ? SOURCE : OUTSIDE)[partOf(path)] ?? { imports: [], why: '' }
}

function isDoor(target: string, { entries }: Tree): boolean {
  const leaf = LEAVES.some((name) => target === `src/${name}.ts`)
  return leaf || /^src\/[^/]+\.ts$/.test(target) || /^src\/[^/]+\/index\.ts$/.test(target) || entries.includes(target)
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** Part of what users install. */
function isShipped(path: string): boolean {
  return path.startsWith('src/') && !isTest(path)
}

function sameTree(path: string, target: string): boolean {
  return path.startsWith('src/') === target.startsWith('src/')
}

function resolved(path: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
}
