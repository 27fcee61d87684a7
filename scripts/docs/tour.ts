/**
 * A folder file by file, in reading order, with the sentence that each file opens with: the tour of ARCHITECTURE.md cannot say
 * anything else than the files do. A file that nobody has put in order yet comes last.
 */
import { globSync, readFileSync } from 'node:fs'
import { root } from '../project.ts'

export interface Tour {
  readonly folder: string
  /** What is read together, and in which order; names without `.ts`. */
  readonly stops: Readonly<Record<string, readonly string[]>>
}

const FAULT_TABLES = [
  'network',
  'tls',
  'authentication',
  'server-state',
  'persistence',
  'cluster',
  'quota',
  'usage',
  'own',
].map((name) => `faults/${name}`)

export const LINK: Tour = {
  folder: 'src/link',
  stops: {
    'What others see': ['redis-link', 'health', 'link', 'settings'],
    'Where Redis is': ['endpoint', 'redis-url', 'environment', 'locate', 'lookup', 'sentinel', 'surroundings'],
    'One call': ['single-link', 'commands/commands', 'commands/keys', 'pending', 'wire', 'fence', 'script', 'counters'],
    'One connection': ['gate', 'connector', 'handshake', 'greeting', 'tls-mismatch', 'backoff', 'attempt-delays'],
    'The states': ['supervisor', 'activities', 'admission', 'late-window', 'flap-hold', 'suspicion'],
    'Beside the command connection': ['lane', 'subscriber', 'blocking', 'tracking', 'tracking-switch'],
    'What went wrong': ['faults', 'faults/fault', 'faults/reply', 'faults/failure', 'faults/describe', ...FAULT_TABLES],
    'Client libraries': ['driver', 'drivers/socket', 'drivers/node-redis', 'drivers/ioredis'],
    Cluster: [
      'cluster/cluster-link',
      'cluster/map',
      'commands/key-slot',
      'cluster/nodes',
      'cluster/router',
      'cluster/refresh',
      'cluster/health',
      'cluster/subscriptions',
      'cluster/trackings',
      'cluster/blocking',
    ],
  },
}

export const DATABASE: Tour = {
  folder: 'src/database',
  stops: {
    'What others see': ['database', 'health', 'options', 'address', 'environment'],
    'One call': ['create-database', 'deadline', 'statement', 'values', 'dialect', 'transaction', 'turns'],
    'The states': ['supervisor', 'attempts', 'watch'],
    'What went wrong': ['faults', 'classify'],
    'Schema and messages': ['migrations', 'notifications'],
    'The engines': [
      'engine',
      'postgres/engine',
      'postgres/pool',
      'postgres/connection',
      'sqlite/engine',
      'sqlite/file',
    ],
  },
}

export const CACHE: Tour = {
  folder: 'src/cache',
  stops: {
    'What others see': ['cache', 'health', 'stats', 'options', 'codec', 'caches', 'plain-store'],
    'One read': ['tiered-cache', 'flight', 'found', 'claims', 'loading', 'answer', 'traffic', 'load-gate', 'upkeep'],
    'One change': ['writer', 'delete-pattern', 'delete-old', 'list-keys', 'scan', 'glob'],
    'The tiers': ['memory-store', 'redis-store', 'envelope', 'keys', 'tags'],
    'Outage and return': ['trust', 'hearing', 'replay', 'journal', 'journal-file'],
  },
}

export const LIMITS: Tour = {
  folder: 'src/limits',
  stops: {
    'In order': [
      'limits',
      'options',
      'limit',
      'algorithm',
      'sliding-window',
      'fixed-window',
      'token-bucket',
      'accounts',
      'instances',
      'headers',
    ],
  },
}

export const SESSIONS: Tour = {
  folder: 'src/sessions',
  stops: {
    'In order': ['sessions', 'options', 'record', 'redis-store', 'database-store', 'memory-store', 'owing', 'copier'],
  },
}

export const EVENTS: Tour = {
  folder: 'src/events',
  stops: {
    'What others see': ['events', 'topics', 'options', 'create-events'],
    'In this process': ['envelope', 'last-id', 'feed', 'subscribers', 'subscriber'],
    'To and from other processes': [
      'outbox',
      'ways',
      'redis-stream',
      'follower',
      'row-store',
      'row-reader',
      'teller',
      'replays',
    ],
  },
}

export const OPERATE: Tour = {
  folder: 'src/operate',
  stops: {
    'In order': ['targets', 'check', 'probes/examination'],
    Setup: ['setup/plan', 'setup/redis-host/choice', 'setup/apply', 'setup/prove', 'setup/undo'],
    'The doctor': ['doctor/doctor', 'doctor/check', 'doctor/collection', 'doctor/judging', 'doctor/verdict'],
  },
}

export const CLI: Tour = { folder: 'src/cli', stops: { 'In order': ['main', 'check', 'setup'] } }

export const TASKS: Tour = {
  folder: 'src/tasks',
  stops: {
    'What others see': ['tasks', 'definitions', 'task', 'options', 'environment', 'create-tasks'],
    'In the database': ['store/schema', 'store/sql', 'store/store', 'store/rows', 'fence'],
    'Starting a task': ['starter', 'foreign', 'payload', 'batch', 'dispatcher', 'messages', 'outlet', 'ways'],
    'Working on it': ['worker', 'hint-listener', 'sweep', 'leases', 'attempt', 'lazy-transaction', 'endings', 'retry'],
    Besides: ['schedules', 'waiting', 'listing', 'outside'],
  },
}

export const TELEMETRY: Tour = {
  folder: 'src/telemetry',
  stops: {
    'In order': ['channels', 'health-report', 'probes', 'incidents', 'incident', 'incident-text', 'logging', 'metrics'],
  },
}

export const ORDERS: Tour = {
  folder: 'examples/orders',
  stops: {
    'In order': [
      'main',
      'settings',
      'app',
      'routes/orders',
      'order',
      'orders',
      'order-tasks',
      'fulfil',
      'products',
      'routes/products',
      'routes/tasks',
      'notifications',
      'routes/notifications',
      'admin',
    ],
  },
}

/** The tour as a table. */
export function tourTable({ folder, stops }: Tour): string {
  const files = globSync('**/*.ts', { cwd: `${root}/${folder}` }).filter((file) => !/\.test\.ts$|index\.ts$/.test(file))
  const ordered = Object.values(stops).flat()
  const others = files.map((file) => file.slice(0, -3)).filter((name) => !ordered.includes(name))
  const groups: [string, readonly string[]][] = [...Object.entries(stops), ['Besides', others.toSorted()]]
  const rows = groups
    .filter(([, names]) => names.length > 0)
    .flatMap(([title, names]) => [`| **${title}** | |`, ...names.map((name) => row(folder, name))])
  return ['| file | what it is for |', '|---|---|', ...rows].join('\n')
}

function row(folder: string, name: string): string {
  const path = `${folder}/${name}.ts`
  return `| [${name}.ts](${path}) | ${opening(path, readFileSync(`${root}/${path}`, 'utf8'))} |`
}

/** The first sentence of the comment that a file opens with; a picture or an example below it does not belong to it. */
export function opening(path: string, source: string): string {
  const comment = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(source)?.[1]
  if (comment === undefined) throw new Error(`${path} does not open with a comment that says what it is for.`)
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*\s?/, '').trimEnd())
  const paragraph = lines.join('\n').trim().split('\n\n', 1)[0] ?? ''
  const sentence = /^[\s\S]*?[.?](?=\s+[A-Z`]|$)/.exec(paragraph)?.[0] ?? paragraph
  return sentence.replaceAll(/\s+/g, ' ').replace(/:$/, '.').replaceAll('|', '\\|')
}
