/**
 * Every step of `npm run check` must be able to fail: a tool that finds no files, or reads another configuration
 * than ours, is green for ever and says nothing. Each case puts one thing wrong into a copy of the project.
 */
import assert from 'node:assert/strict'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../../scripts/command.ts'
import { root } from '../../scripts/project.ts'
import { scratchDirectory } from '../support/leash.ts'

interface Breach {
  readonly step: string
  readonly what: string
  /** Path → text: these files are added to the copy, or take the place of those that are there. */
  readonly files: Readonly<Record<string, string>>
  /** What the step must say, besides failing. */
  readonly says: readonly RegExp[]
}

const copy = copyOfProject()

/**
 * The tools are those of the checkout; the scripts, and with them the root, are those of the copy.
 * The unit tests stay behind: they would only take time.
 */
function copyOfProject(): string {
  const folder = scratchDirectory('house')
  const wanted = [
    '*.{json,jsonc,md}',
    '.ox*.json',
    '.gitignore',
    'LICENSE',
    'src',
    'scripts',
    'examples',
    'bench',
    'test',
  ]
  const filter = (path: string): boolean => !/\/(src|scripts)\/.*\.test\.ts$/.test(path)
  for (const entry of globSync(wanted, { cwd: root }))
    cpSync(join(root, entry), join(folder, entry), { recursive: true, filter })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Runs one step in the copy with the files of the breach, and takes them away again. */
async function outcomeOf({ step, files }: Breach): Promise<{ ok: boolean; output: string }> {
  const paths = Object.keys(files).map((path) => join(copy, path))
  const before = paths.map((path) => (globSync(path).length > 0 ? readFileSync(path) : undefined))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
  const outcome = await runCommand(['node', 'scripts/check.ts', step], { cwd: copy })
  for (const [index, path] of paths.entries()) {
    const content = before[index]
    if (content === undefined) rmSync(path)
    else writeFileSync(path, content)
  }
  return outcome
}

const manifest = readFileSync(join(root, 'package.json'), 'utf8')

const lines = (count: number): string => Array.from({ length: count }, (_, index) => `  f(${index})`).join('\n')

/** One source file per rule of the lint, each breaking that rule. */
const lintBreaches: Readonly<Record<string, string>> = {
  'no-floating-promises': 'export function wrong(): void {\n  Promise.resolve(1)\n}\n',
  'no-explicit-any': 'export const wrong: any = 1\n',
  'no-non-null-assertion': 'export const wrong = (text: string | undefined): string => text!\n',
  'explicit-module-boundary-types': 'export function wrong(n: number) {\n  return n\n}\n',
  'no-console': "console.log('wrong')\n",
  'no-cycle': "import { b } from './cycle.ts'\nexport const a = (): number => b()\n",
  'max-lines-per-function': `export function wrong(f: (n: number) => void): void {\n${lines(51)}\n}\n`,
  'max-lines': `const f = (n: number): number => n\n${lines(300)}\nexport { f }\n`,
}

const breaches: readonly Breach[] = [
  {
    step: 'types',
    what: 'a wrong type',
    files: { 'src/link/wrong.ts': "export const wrong: number = 'text'\n" },
    says: [/src\/link\/wrong\.ts\(1,14\): error TS2322/],
  },
  {
    step: 'lint',
    what: Object.keys(lintBreaches).join(', '),
    files: {
      ...Object.fromEntries(Object.entries(lintBreaches).map(([rule, text]) => [`src/link/wrong-${rule}.ts`, text])),
      'src/link/cycle.ts': "import { a } from './wrong-no-cycle.ts'\nexport const b = (): number => a()\n",
    },
    says: Object.keys(lintBreaches).map((rule) => new RegExp(`\\(${rule}\\).*\\n.*src/link/wrong-${rule}\\.ts`)),
  },
  {
    step: 'lint',
    what: 'a hook of a unit test that would hold for all of them',
    files: { 'src/link/wrong.test.ts': "import { beforeEach } from 'node:test'\nbeforeEach(() => undefined)\n" },
    says: [/\(no-restricted-imports\).*\n.*src\/link\/wrong\.test\.ts/],
  },
  {
    step: 'format',
    what: 'another layout',
    files: { 'src/link/wrong.ts': 'export const wrong = "text";\n' },
    says: [/src\/link\/wrong\.ts/],
  },
  {
    step: 'lock',
    what: 'an optional dependency without an entry',
    files: {
      'package-lock.json':
        '{ "packages": { "node_modules/a": { "optionalDependencies": { "b-linux-x64": "1.0.0" } } } }',
    },
    says: [/package-lock\.json lacks node_modules\/b-linux-x64/],
  },
  {
    step: 'boundaries',
    what: 'a role that imports another role',
    files: { 'src/cache/wrong.ts': "import '../sessions/index.ts'\n" },
    says: [/src\/cache\/wrong\.ts:1 cache may not import sessions/],
  },
  {
    step: 'unit',
    what: 'a failing unit test',
    files: {
      'src/link/wrong.test.ts':
        "import { test } from 'node:test'\ntest('wrong', () => {\n  throw new Error('seen')\n})\n",
    },
    says: [/✖ wrong/],
  },
  {
    step: 'unit',
    what: 'a unit test that ends the process of all',
    files: {
      'src/link/wrong.test.ts': "import { test } from 'node:test'\ntest('wrong', () => process.exit(0))\n",
    },
    says: [/ended before the last test/],
  },
  {
    step: 'unit',
    what: 'what fails after its test',
    files: {
      'src/link/wrong.test.ts':
        "import { test } from 'node:test'\ntest('wrong', () => {\n  setTimeout(() => JSON.parse(''), 10)\n})\n",
    },
    says: [/Test "wrong" at .*generated asynchronous activity/],
  },
  {
    step: 'unused',
    what: 'a file that nobody imports',
    files: { 'src/link/wrong.ts': 'export const wrong = 1\n' },
    says: [/src\/link\/wrong\.ts/],
  },
  {
    step: 'docs',
    what: 'a dead link and an example that does not compile',
    files: { 'docs/wrong.md': "[gone](gone.md)\n\n```ts\nimport { nothing } from 'evenkeel/link'\n```\n" },
    says: [/docs\/wrong\.md:1 the link to gone\.md leads nowhere/, /docs\/wrong\.md:4 error TS2305/],
  },
  {
    step: 'package',
    what: 'an export without a file',
    files: { 'package.json': manifest.replace('./dist/link/index.js', './dist/link/gone.js') },
    says: [/dist\/link\/gone\.js/],
  },
]

for (const breach of breaches) {
  test(`npm run check -- ${breach.step} finds ${breach.what}`, async () => {
    const { ok, output } = await outcomeOf(breach)
    assert.equal(ok, false, `the step passed:\n${output}`)
    for (const words of breach.says) assert.match(output, words)
  })
}
