/**
 * `npm run record [-- <part> …]`: measures on real servers, and writes the figures into every page that quotes them. A part
 * that does not exist is answered by the list of those that do. `outages` alone takes nine minutes, everything about an hour.
 * Meant for a machine that does nothing else.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mustRun, runCommand } from './command.ts'
import { measuredIn, withMeasured } from './docs/measured.ts'
import { root } from './project.ts'
import { recordDiagnosis } from './record/diagnosis.ts'
import { draw } from './record/draw.ts'
import { circumstances } from './record/machine.ts'
import { play, type Outcome } from './record/outages.ts'
import { record } from './record/picture.ts'
import { SCENES } from './record/scenes.ts'
import { recordSession } from './record/session.ts'
import { recordSetup } from './record/setup.ts'
import { databaseTable, promisesText, redisTable, type Language } from './record/table.ts'

const ROUNDS = 3
const BENCH_LIMIT_MS = 15 * 60_000
const LANGUAGES = { english: '', chinese: '-zh' } as const satisfies Record<Language, string>

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  outages: recordOutages,
  picture: recordPicture,
  session: async () => publish('session', `\`\`\`console\n${await recordSession()}\n\`\`\``),
  diagnosis: async () => publish('diagnosis', `\`\`\`console\n${await recordDiagnosis()}\n\`\`\``),
  setup: async () => publish('setup', `\`\`\`console\n${await recordSetup()}\n\`\`\``),
  'link-outages': benchmark('link', 'outages'),
  'link-throughput': benchmark('link', 'throughput'),
  'link-herd': benchmark('link', 'herd'),
  'outage-matrix': recordMatrix,
  'cache-l1-hit': benchmark('cache', 'l1-hit'),
  'cache-l2-hit': benchmark('cache', 'l2-hit'),
  'cache-stampede': benchmark('cache', 'stampede'),
  'cache-frozen': benchmark('cache', 'frozen'),
  'cache-killed': benchmark('cache', 'killed'),
  'cache-boot': benchmark('cache', 'boot'),
  'cache-stale': benchmark('cache', 'stale'),
  'cache-memory': benchmark('cache', 'memory'),
  'tasks-enqueue': benchmark('tasks', 'enqueue'),
  'tasks-orders': benchmark('tasks', 'orders'),
  'tasks-end-to-end': benchmark('tasks', 'end-to-end'),
  'tasks-latency': benchmark('tasks', 'latency'),
  'tasks-outages': benchmark('tasks', 'outages'),
  'tasks-frozen': benchmark('tasks', 'frozen'),
  'tasks-chaos': recordChaos,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) throw new Error(`No part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`)
for (const [name, part] of Object.entries(PARTS)) if (wanted.length === 0 || wanted.includes(name)) await part()

async function recordOutages(): Promise<void> {
  const all: Outcome[][] = []
  for (const scene of SCENES) {
    const outcomes: Outcome[] = []
    for (let round = 0; round < ROUNDS; round++) outcomes.push(await play(scene))
    console.log(scene.name, outcomes)
    all.push(outcomes)
  }
  const about = (subject: Outcome['scene']['subject']): Outcome[][] =>
    all.filter(([first]) => first?.scene.subject === subject)
  for (const [language, suffix] of languages()) {
    const where = await circumstances('npm run record -- outages', language)
    publish(`outages${suffix}`, `${redisTable(about('redis'), language)}\n\n${promisesText(all, language)} ${where}`)
    publish(`database${suffix}`, databaseTable(about('database'), language))
  }
}

async function recordPicture(): Promise<void> {
  const run = await record()
  mkdirSync(`${root}/docs/images`, { recursive: true })
  for (const [language, suffix] of languages()) {
    writeFileSync(`${root}/docs/images/outage${suffix}.svg`, draw(run, language))
    publish(`picture${suffix}`, await circumstances('npm run record -- picture', language))
  }
}

function benchmark(subject: 'link' | 'cache' | 'tasks', part: string): () => Promise<void> {
  return async () => publish(`${subject}-${part}`, await benchmarked(subject, [part]))
}

async function recordMatrix(): Promise<void> {
  publish('outage-matrix', await benchmarked('outage', []))
}

async function recordChaos(): Promise<void> {
  const options = ['--seconds', '60', '--seed', '7']
  const program = ['node', '--conditions=evenkeel-source', 'test/outage/tasks/run.ts', ...options]
  const { ok, output } = await runCommand(program, { limitMs: BENCH_LIMIT_MS })
  // A bar that was missed stands on the page as well as those that were met; a run that broke off does not.
  if (!ok && !output.includes('✖')) throw new Error(output)
  const command = `npm run chaos:tasks -- ${options.join(' ')}`
  publish('tasks-chaos', `${output.trim()}\n\n${await circumstances(command, 'english')}`)
}

/** What the benchmark prints, which is Markdown. */
async function benchmarked(subject: string, parts: readonly string[]): Promise<string> {
  const program = ['node', '--conditions=evenkeel-source', `bench/${subject}.ts`, ...parts]
  const tables = (await mustRun(program, { limitMs: BENCH_LIMIT_MS })).trim()
  const command = [`npm run bench:${subject}`, ...parts].join(' -- ')
  return `${tables}\n\n${await circumstances(command, 'english')}`
}

function languages(): [Language, string][] {
  return Object.entries(LANGUAGES) as [Language, string][]
}

function publish(name: string, text: string): void {
  for (const path of globSync(['*.md', 'docs/**/*.md'], { cwd: root })) {
    const page = readFileSync(`${root}/${path}`, 'utf8')
    if (!measuredIn(page).includes(name)) continue
    writeFileSync(`${root}/${path}`, withMeasured(page, name, text))
    console.log(`${name} → ${path}`)
  }
}
