/**
 * Who may import whom. This table is the architecture: a folder that is not in it may not exist, nor a row without a folder,
 * an import that is not in it is an error, and ARCHITECTURE.md prints it.
 */

/** What the files of one part of the tree may import from its other parts. */
export interface Allowed {
  /** Parts whose values and types may be imported. */
  readonly imports: readonly string[]
  /** Parts of which only types may be imported. */
  readonly types?: readonly string[]
  /** At most one of these per file: an adapter adapts one role. */
  readonly oneOf?: readonly string[]
  /** Said in the table of ARCHITECTURE.md. */
  readonly why: string
}

/** Single files that every folder may import directly, without an index. */
export const LEAVES: readonly string[] = [
  'errors',
  'clock',
  'options',
  'recent-ids',
  'make-directory',
  'telemetry/channels',
]
const ROLES: readonly string[] = ['cache', 'sessions', 'limits', 'tasks', 'events']

const role: Allowed = {
  imports: [...LEAVES, 'link', 'database'],
  why: 'a role knows the link and the durable side, never another role',
}

/** The parts of `src/`. */
export const SOURCE: Readonly<Record<string, Allowed>> = {
  errors: { imports: [], why: 'the bottom' },
  clock: { imports: [], why: 'time and chance' },
  options: { imports: ['errors'], why: 'a wrong option is an error with a name' },
  'make-directory': { imports: [], why: 'a folder for what a process keeps on the disk' },
  'recent-ids': { imports: [], why: 'what a process remembers of messages that come by more than one way' },
  'telemetry/channels': { imports: ['errors'], why: 'names and payloads only' },
  link: { imports: LEAVES, why: 'the supervised connection serves every role and knows none' },
  database: { imports: LEAVES, why: 'the durable side, likewise' },
  ...Object.fromEntries(ROLES.map((name) => [name, role])),
  adapters: {
    imports: LEAVES,
    oneOf: [...ROLES, 'telemetry'],
    why: 'an adapter is thin: the one role it adapts, or the telemetry, and nothing else',
  },
  telemetry: {
    imports: LEAVES,
    types: ['link', 'database', ...ROLES],
    why: 'it listens to the channels; of what it reports on it knows the types',
  },
  evenkeel: {
    imports: [...LEAVES, 'link', 'database', 'telemetry', 'adapters', ...ROLES],
    why: 'the composition root',
  },
  index: {
    imports: [...LEAVES, 'evenkeel', 'link', 'database', 'telemetry', 'adapters', ...ROLES],
    why: 'the door',
  },
  operate: { imports: [...LEAVES, 'link', 'database'], why: 'looks at Redis as it is, so it needs no role' },
  cli: { imports: ['errors', 'options', 'operate'], why: 'reads arguments and prints what operate returns' },
}

/** The folders beside `src/`. `package` stands for the public names, `evenkeel` and `evenkeel/…`. */
export const OUTSIDE: Readonly<Record<string, Allowed>> = {
  examples: { imports: ['package'], why: 'an example is what a user could have written' },
  bench: { imports: ['package', 'test'], why: 'measured through the public door, on the servers of test/support' },
  test: { imports: ['package', 'src', 'examples', 'scripts'], why: 'may look inside' },
  scripts: { imports: ['src', 'test'], why: 'the house itself' },
}

/** The table as Markdown, for ARCHITECTURE.md; parts with the same rights share a row. */
export function asMarkdown(): string {
  const rows = Map.groupBy(Object.entries({ ...SOURCE, ...OUTSIDE }), ([, allowed]) => rights(allowed))
  const lines = [...rows].map(([cells, parts]) => `| ${parts.map(([name]) => name).join(', ')} | ${cells} |`)
  return ['| part | may import | why |', '|---|---|---|', ...lines].join('\n')
}

function rights({ imports, types = [], oneOf = [], why }: Allowed): string {
  const parts = [
    shortened(imports),
    types.length > 0 ? `types of ${shortened(types)}` : '',
    oneOf.length > 0 ? `one of ${shortened(oneOf)} per file` : '',
  ].filter((text) => text !== '')
  return `${parts.join('; ') || 'nothing'} | ${why}`
}

/** Leaves and roles are many: the table names them as groups. */
function shortened(names: readonly string[]): string {
  const groups: [string, readonly string[]][] = [
    ['the leaves', LEAVES],
    ['the roles', ROLES],
  ]
  const complete = groups.filter(([, members]) => members.every((member) => names.includes(member)))
  const covered = complete.flatMap(([, members]) => members)
  return [...complete.map(([label]) => label), ...names.filter((name) => !covered.includes(name))].join(', ')
}
