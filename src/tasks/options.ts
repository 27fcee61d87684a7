/**
 * The options of the tasks: names, units, defaults, checked at once.
 */
import { hostname } from 'node:os'
import { systemClock } from '../clock.ts'
import type { Clock, Random } from '../clock.ts'
import type { EngineName } from '../database/index.ts'
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption, wordOption } from '../options.ts'
import type { TaskDefinition, TaskDefinitions } from './definitions.ts'

/**
 * - `auto` hints through Redis while it is up, else the database wakes the workers
 * - `db` Redis is not used, whatever its state
 * - `off` tasks are stored, and this process does nothing more about them
 */
export type TasksMode = 'auto' | 'db' | 'off'

export interface TasksOptions {
  /** Tasks of different queues do not meet: neither workers nor keys. @default 'default' */
  readonly queue?: string
  /** `auto`: hints through Redis while it is up, else the database wakes the workers; `db`: without Redis; `off`: only store. @default 'auto' */
  readonly mode?: TasksMode
  /** Why it is not `auto`, for people, such as `ENABLE_BACKGROUND_TASKS=false`. @default none */
  readonly modeReason?: string
  /** Work on tasks in this process; `false`: only start them. @default true */
  readonly worker?: boolean
  /** Tasks in work at once in this process. @default 10 */
  readonly concurrency?: number
  /** A running task is its worker's for so long; renewed every third of it. @default 30000 */
  readonly leaseMs?: number
  /** How often each worker looks into the database, give or take a quarter. @default 1000 */
  readonly sweepMs?: number
  /** While hints flow, a sweep leaves tasks to them that are younger than this; with SQLite 250 at most. @default 1500 */
  readonly hintGraceMs?: number
  /** A hint that Redis has not taken within this counts as failed, and the database wakes the workers. @default 100 */
  readonly hintDeadlineMs?: number
  /** Hints kept in Redis at most; what is cut off is found by the sweep. @default 10000 */
  readonly maxHints?: number
  /** How long the row of a task is kept after success or cancellation. @default 604800000 (7 days) */
  readonly keepMs?: number
  /** How long a dead task is kept. @default 2592000000 (30 days) */
  readonly keepDeadMs?: number
  /** How long a call to the database may take. @default 5000 */
  readonly deadlineMs?: number
  /** A function that has not ended so long after its signal aborted is no longer waited for. @default 5000 */
  readonly abandonMs?: number
  /** Names this process in the rows it works on. @default host name and process id */
  readonly instance?: string
  /** Time, for tests. @default the machine's clock */
  readonly clock?: Clock
  /** Chance, for tests. @default Math.random */
  readonly random?: Random
}

export type TasksSettings = Required<TasksOptions>

const DAY_MS = 86_400_000

const DEFAULTS: Omit<TasksSettings, 'instance'> = {
  queue: 'default',
  mode: 'auto',
  modeReason: '',
  worker: true,
  concurrency: 10,
  leaseMs: 30_000,
  sweepMs: 1000,
  hintGraceMs: 1500,
  hintDeadlineMs: 100,
  maxHints: 10_000,
  keepMs: 7 * DAY_MS,
  keepDeadMs: 30 * DAY_MS,
  deadlineMs: 5000,
  abandonMs: 5000,
  clock: systemClock,
  random: Math.random,
}

/** With SQLite hints have less time: other processes are told by nothing else that there is a task. */
const FILE_GRACE_MS = 250

/** Node's timers end here. */
const LONGEST_MS = 2 ** 31 - 1
const LONGEST_KEPT_MS = 36_500 * DAY_MS

const RANGES = {
  concurrency: { min: 1, max: 10_000 },
  leaseMs: { min: 300, max: LONGEST_MS },
  sweepMs: { min: 20, max: LONGEST_MS },
  hintGraceMs: { max: LONGEST_MS },
  hintDeadlineMs: { min: 1, max: 60_000 },
  maxHints: { min: 1 },
  keepMs: { max: LONGEST_KEPT_MS },
  keepDeadMs: { max: LONGEST_KEPT_MS },
  deadlineMs: { min: 1, max: LONGEST_MS },
  abandonMs: { max: LONGEST_MS },
} as const

const QUEUE = /^[A-Za-z0-9_.-]{1,100}$/

/** Checks the options and fills in what was left out. */
export function readSettings(options: TasksOptions, engine: EngineName = 'postgres'): TasksSettings {
  knownOptions('tasks', options, [...Object.keys(DEFAULTS), 'instance'])
  const settings: TasksSettings = {
    ...DEFAULTS,
    instance: `${hostname()}:${process.pid}`,
    ...withoutUndefined(options),
  }
  wordOption('tasks.mode', settings.mode, ['auto', 'db', 'off'])
  if (!QUEUE.test(settings.queue))
    throw new OptionError(
      'tasks.queue',
      `Expected 'tasks.queue' to be letters, digits, '_', '.' and '-', got '${settings.queue}'.`,
    )
  for (const name of keysOf(RANGES)) numberOption(`tasks.${name}`, settings[name], RANGES[name])
  const { hintGraceMs } = settings
  return engine === 'sqlite' ? { ...settings, hintGraceMs: Math.min(hintGraceMs, FILE_GRACE_MS) } : settings
}

const DEFINITION_NAMES = [
  'run',
  'validate',
  'retry',
  'timeoutMs',
  'concurrency',
  'priority',
  'keepMs',
  'schedule',
  'outlet',
]
const RETRY_NAMES = ['attempts', 'delayMs', 'maxDelayMs', 'when']

/** Refuses a definition that cannot work. */
export function checkDefinitions(definitions: TaskDefinitions): void {
  for (const [name, definition] of Object.entries(definitions)) checkDefinition(name, definition)
}

function checkDefinition(name: string, definition: TaskDefinition): void {
  if (name === '' || name.length > 200)
    throw new OptionError('tasks', `Expected the name of a task to have 1 to 200 characters, got '${name}'.`)
  knownOptions(`the task '${name}'`, definition, DEFINITION_NAMES)
  if (typeof definition.run !== 'function')
    throw new OptionError(`${name}.run`, `Expected '${name}.run' to be a function, got a ${typeof definition.run}.`)
  const { retry = {}, timeoutMs, concurrency, priority, keepMs } = definition
  knownOptions(`the task '${name}'`, retry, RETRY_NAMES)
  const numbers = [
    ['retry.attempts', retry.attempts, { min: 1, max: 1_000_000 }],
    ['retry.delayMs', retry.delayMs, { max: LONGEST_KEPT_MS }],
    ['retry.maxDelayMs', retry.maxDelayMs, { max: LONGEST_KEPT_MS }],
    ['timeoutMs', timeoutMs, { min: 1, max: LONGEST_MS }],
    ['concurrency', concurrency, { min: 1, max: 10_000 }],
    ['priority', priority, PRIORITY],
    ['keepMs', keepMs, { max: LONGEST_KEPT_MS }],
  ] as const
  for (const [option, value, range] of numbers) if (value !== undefined) numberOption(`${name}.${option}`, value, range)
}

/** What an INTEGER holds. */
export const PRIORITY = { min: -(2 ** 31), max: 2 ** 31 - 1 } as const

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}

/** An option given as undefined is an option left out. */
function withoutUndefined<T extends object>(options: T): T {
  const given: T = { ...options }
  for (const name in given) if (given[name] === undefined) delete given[name]
  return given
}
