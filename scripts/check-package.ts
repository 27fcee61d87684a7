/**
 * `npm run check`, step package: builds and packs what would be published, in a folder of its own, and looks at it
 * as a user does: publint, attw, and a project in which nothing but the tarball and its dependencies is installed.
 */
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mustRun } from './command.ts'
import { manifest, publicEntries, root } from './project.ts'

/** Subpaths whose module needs a peer to load; every other one loads with the hard dependencies alone. */
const NEEDS_PEER = /^evenkeel\/adapters\//

const stage = `${root}/.check/package`
const consumer = mkdtempSync(join(tmpdir(), 'evenkeel-consumer-'))
try {
  const tarball = await pack()
  const looks = [
    mustRun(['publint', 'run', tarball, '--strict']),
    mustRun(['attw', tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']),
    useAsUser(tarball),
  ]
  for (const look of await Promise.allSettled(looks)) if (look.status === 'rejected') fail(look.reason)
} catch (error) {
  fail(error)
} finally {
  rmSync(consumer, { recursive: true, force: true })
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** Builds and packs a copy, so that `dist/` of the checkout is left alone; returns the path of the tarball. */
async function pack(): Promise<string> {
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  const files = ['package.json', 'LICENSE', 'CHANGELOG.md', 'src', 'tsconfig.json', 'tsconfig.build.json']
  for (const file of [...files, ...globSync('README*.md', { cwd: root })])
    cpSync(`${root}/${file}`, `${stage}/${file}`, { recursive: true })
  await mustRun(['tsc', '-p', `${stage}/tsconfig.build.json`, '--pretty', 'false'])
  const name = await mustRun(['npm', 'pack', '--ignore-scripts', '--silent'], { cwd: stage })
  return `${stage}/${name.trim()}`
}

/** Outside of the checkout, where nothing is found that a user would not have. */
async function useAsUser(tarball: string): Promise<void> {
  const installed = `${consumer}/node_modules/evenkeel`
  mkdirSync(installed, { recursive: true })
  await mustRun(['tar', 'xzf', tarball, '--strip-components=1', '-C', installed])
  for (const name of Object.keys(manifest.dependencies)) link(name)
  const names = publicEntries().map(({ name }) => name)
  await importAll(names.filter((name) => !NEEDS_PEER.test(name)))
  for (const program of Object.values(manifest.bin)) await mustRun(['node', `${installed}/${program}`, '--help'])
  for (const name of [...Object.keys(manifest.peerDependencies ?? {}), '@types/node', '@types/pg', 'undici-types'])
    link(name)
  await importAll(names)
  await compileAll(names)
}

function link(name: string): void {
  const place = `${consumer}/node_modules/${name}`
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(`${root}/node_modules/${name}`, place)
}

/** Imports each subpath, requires it as CommonJS does, and refuses one that exports nothing. */
async function importAll(names: readonly string[]): Promise<void> {
  const script = `${consumer}/import-all.mjs`
  const text = `
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    for (const name of ${JSON.stringify(names)}) {
      const names = Object.keys(await import(name))
      if (names.length === 0) throw new Error(name + ' exports nothing')
      if (Object.keys(require(name)).length !== names.length) throw new Error(name + ' is another one for require()')
    }`
  writeFileSync(script, text)
  await mustRun(['node', script], { cwd: consumer })
}

/** Type-checks a file that imports each subpath, with the declarations themselves checked too. */
async function compileAll(names: readonly string[]): Promise<void> {
  const lines = names.map((name, index) => `import * as entry${index} from '${name}'\nvoid entry${index}`)
  writeFileSync(`${consumer}/package.json`, '{ "type": "module" }')
  writeFileSync(`${consumer}/use.ts`, lines.join('\n'))
  const options = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--skipLibCheck',
    'false',
    '--types',
    'node',
  ]
  await mustRun(['tsc', ...options, 'use.ts'], { cwd: consumer })
}
