/**
 * `npm run check`, step docs: every link between the pages leads somewhere, every TypeScript example compiles,
 * every generated part is up to date, and every dependency is explained. `--write` brings the generated parts up to date.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { runCommand } from './command.ts'
import { examplesIn } from './docs/examples.ts'
import { regenerate } from './docs/generated.ts'
import { brokenLinks } from './docs/links.ts'
import { manifest, root } from './project.ts'

const write = process.argv.includes('--write')
const folder = `${root}/.check/docs`
const paths = globSync(['*.md', '{docs,examples,bench,test}/**/*.md'], { cwd: root }).toSorted()
const pages = new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]))

const problems = [...staleParts(), ...deadLinks(), ...unexplainedDependencies(), ...(await wrongExamples())]
for (const problem of problems) console.error(problem)
console.log(`${pages.size} pages, ${problems.length} problems`)
process.exitCode = problems.length > 0 || pages.size === 0 ? 1 : 0

function staleParts(): string[] {
  return [...pages].flatMap(([path, text]) => {
    const fresh = regenerate(text)
    if (fresh === text) return []
    if (write) writeFileSync(`${root}/${path}`, fresh)
    return write ? [] : [`${path}: a generated part is out of date; run npm run docs`]
  })
}

function deadLinks(): string[] {
  const dead = brokenLinks(pages, (path) => existsSync(`${root}/${path}`))
  return dead.map(({ page, line, target }) => `${page}:${line} the link to ${target} leads nowhere`)
}

function unexplainedDependencies(): string[] {
  const text = pages.get('ARCHITECTURE.md') ?? ''
  const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies })
  return names
    .filter((name) => !text.includes(`\`${name}\``))
    .map((name) => `ARCHITECTURE.md: the dependency \`${name}\` is listed without its reason`)
}

/** One compiler run over all examples of all pages; messages are told at the line of the page. */
async function wrongExamples(): Promise<string[]> {
  rmSync(folder, { recursive: true, force: true })
  const named = [...pages].flatMap(([path, text]) => examplesIn(text).map((example) => ({ path, ...example })))
  if (named.length === 0) return []
  mkdirSync(folder, { recursive: true })
  for (const { path, line, text } of named) writeFileSync(`${folder}/${path.replaceAll('/', '+')}+${line}.ts`, text)
  writeFileSync(`${folder}/tsconfig.json`, '{ "extends": "../../tsconfig.json", "include": ["./*.ts"] }')
  const { ok, output } = await runCommand(['tsc', '-p', folder, '--checkers', '1', '--pretty', 'false'])
  return ok ? [] : output.trim().split('\n').map(atPage)
}

/** `.check/docs/docs+cache.md+12.ts(14,3): error …` → `docs/cache.md:14 error …` */
function atPage(message: string): string {
  const match = /^\.check\/docs\/(.+)\+\d+\.ts\((\d+),\d+\): (.*)$/.exec(message)
  if (match === null) return message
  const [, file = '', line = '', rest = ''] = match
  return `${file.replaceAll('+', '/')}:${line} ${rest}`
}
