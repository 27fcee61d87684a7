/** A redis.conf for what the data is for: a new one with the reasons in it, or the lines of an existing one changed. */
import { access } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { onDisk, placeIn, readState } from '../disk.ts'
import { commented, type FileChange, type Obstacle, type Plan } from '../plan.ts'
import { directive, withDirective } from './conf-file.ts'
import { linesOf, settingsFor, type DataRole, type Setting, type SettingOptions } from './settings.ts'

export interface RedisConfOptions extends SettingOptions {
  /** The file, from the working directory. @default 'redis.conf' */
  readonly output?: string | undefined
  /** @default '/' */
  readonly root?: string | undefined
}

/** @throws EvenkeelError when the file cannot be read */
export async function planRedisConf(options: RedisConfOptions): Promise<Plan> {
  const { output = 'redis.conf', root = '/', role } = options
  const path = placeIn(root, output)
  const before = await readState(await onDisk(root, path))
  const settings = settingsFor(options)
  const lines = linesOf(settings)
  const startsNow = startsAppendOnly(before?.text, settings)
  const file: FileChange = {
    path,
    before,
    after: before === undefined ? newConfiguration(role, settings) : changed(before.text, settings),
    mode: before?.mode ?? 0o644,
    secret: false,
    reasons: lines,
  }
  return {
    name: 'redis-conf',
    choice: CHOICES[role],
    root,
    journal: join(dirname(path), '.evenkeel'),
    files: [file],
    steps: [],
    proofs: [],
    obstacle: startsNow ? await emptyStart(before?.text ?? '', root) : undefined,
    notes: [
      startsNow ? NOT_YET : 'Redis reads it when it starts: restart it, then evenkeel check --write.',
      ...(before === undefined ? [NO_ADDRESS] : []),
    ],
  }
}

const FIRST = `in the running server:
  redis-cli CONFIG SET appendonly yes
and wait until redis-cli INFO persistence says aof_rewrite_in_progress:0, aof_rewrite_scheduled:0 and aof_last_bgrewrite_status:ok.`

/** Redis that starts with an append-only file and finds none starts empty, whatever its snapshot holds. */
const NOT_YET = `Do NOT restart a Redis that holds data yet: with a new append-only file it starts empty, and its next snapshot overwrites the old one. First, ${FIRST} Then restart it, then evenkeel check --write.`

/** Is a snapshot there, and no append-only file? Then a restart, by whomever, would be an empty start. */
async function emptyStart(text: string, root: string): Promise<Obstacle | undefined> {
  const word = (name: string): string | undefined => directive(text, name)?.args[0]
  const directory = word('dir') ?? ''
  // Where a relative one leads to depends on how Redis is started.
  if (!isAbsolute(directory)) return undefined
  const isThere = async (...names: string[]): Promise<boolean> => await exists(join(root, directory, ...names))
  const appended = word('appendfilename') ?? 'appendonly.aof'
  const hasLog =
    (await isThere(appended)) || (await isThere(word('appenddirname') ?? 'appendonlydir', `${appended}.manifest`))
  const snapshot = word('dbfilename') ?? 'dump.rdb'
  if (hasLog || !(await isThere(snapshot))) return undefined
  return {
    what: `${join(directory, snapshot)} holds data, and there is no append-only file: with appendonly yes the next start would be an empty one.`,
    nextStep: `First, ${FIRST} Then run this again.`,
  }
}

/** What may not be looked at counts as not there: the note tells of it all the same. */
async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** Was the data kept without an append-only file, and is it to be kept with one? A file that says nothing has none. */
function startsAppendOnly(before: string | undefined, settings: readonly Setting[]): boolean {
  const wanted = settings.some(({ name, values }) => name === 'appendonly' && values[0] === 'yes')
  return wanted && !/^\s*appendonly\s+["']?yes\b/im.test(before ?? '')
}

const NO_ADDRESS =
  'The file says nothing of addresses and passwords: add bind and an include of a file with requirepass, or take it from setup compose.'

const CHOICES: Readonly<Record<DataRole, string>> = {
  cache: 'A cache: nothing is kept on disk, and what is least used goes when the memory is full.',
  queue: 'A queue: what was acknowledged is kept on disk, and a full queue refuses writes instead of losing jobs.',
  sessions: 'Sessions: kept on disk; when the memory is full those that end soonest go first.',
  store: 'The only copy of something: kept on disk, and nothing is ever thrown away.',
  mixed:
    'Everything in one instance: kept on disk, and only what has a time to live is thrown away, the shortest first.',
}

function newConfiguration(role: DataRole, settings: readonly Setting[]): string {
  const head = { line: '', why: `Written by evenkeel setup for the role ${role}. ${CHOICES[role]}` }
  return `${commented([head, ...linesOf(settings)])}\n`
}

function changed(text: string, settings: readonly Setting[]): string {
  return settings.reduce((rest, { name, values }) => withDirective(rest, name, values), text)
}
